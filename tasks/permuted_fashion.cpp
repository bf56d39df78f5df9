#include "image_task.hpp"

namespace afterspike::tasks {

TaskEntry entry_permuted_fashion() {
  return {"permuted_fashion", "clothes of Fashion-MNIST pixel by pixel in a fixed random order",
          [] { return image_task({"fashion_mnist"}, ImageForm::permuted); }};
}

}  // namespace afterspike::tasks
