#include "image_task.hpp"

namespace afterspike::tasks {

TaskEntry entry_pixel_fashion() {
  return {"pixel_fashion", "clothes of Fashion-MNIST pixel by pixel: 784 steps of 1, 10 classes",
          [] { return image_task({"fashion_mnist"}, ImageForm::pixels); }};
}

}  // namespace afterspike::tasks
