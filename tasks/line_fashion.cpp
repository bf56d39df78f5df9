#include "image_task.hpp"

namespace afterspike::tasks {

TaskEntry entry_line_fashion() {
  return {"line_fashion",
          "clothes of Fashion-MNIST line by line: 28 steps of 28 pixels, 10 classes",
          [] { return image_task({"fashion_mnist"}, ImageForm::lines); }};
}

}  // namespace afterspike::tasks
