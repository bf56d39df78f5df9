#include "image_task.hpp"

namespace afterspike::tasks {

TaskEntry entry_pixel_mnist() {
  return {"pixel_mnist", "digits of MNIST pixel by pixel: 784 steps of 1, 10 classes", [] {
            return image_task({"mnist", "mini_mnist"}, ImageForm::pixels);
          }};
}

}  // namespace afterspike::tasks
