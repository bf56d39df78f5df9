#include "image_task.hpp"

namespace afterspike::tasks {

TaskEntry entry_permuted_mnist() {
  return {"permuted_mnist",
          "digits of MNIST pixel by pixel in a fixed random order: 784 steps of 1", [] {
            return image_task({"mnist", "mini_mnist"}, ImageForm::permuted);
          }};
}

}  // namespace afterspike::tasks
