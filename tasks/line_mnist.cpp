#include "image_task.hpp"

namespace afterspike::tasks {

TaskEntry entry_line_mnist() {
  return {"line_mnist", "digits of MNIST line by line: 28 steps of 28 pixels, 10 classes", [] {
            return image_task({"mnist", "mini_mnist"}, ImageForm::lines);
          }};
}

}  // namespace afterspike::tasks
