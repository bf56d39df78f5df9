#include "afterspike/datasets/datasets.hpp"

namespace afterspike::datasets {
namespace {

// Printed by scripts/make_mini_mnist.py.
constexpr FileSpec kFiles[] = {
    {.name = "train-images-idx3-ubyte",
     .sha256 = "964f929e568681616e81776c1097f3db5938f24fa9e0e8f2602341c96a32eccb",
     .bytes = 784'016},
    {.name = "train-labels-idx1-ubyte",
     .sha256 = "9efdd3f42e64c4d159a8c4833d095e87f870cc4d54b78600f9a8d13f58cc8af9",
     .bytes = 1'008},
    {.name = "t10k-images-idx3-ubyte",
     .sha256 = "97ec3e530cd55441a2c634c869ee2db6ac4224e52db5b7b8f60743ac7c976ec7",
     .bytes = 392'016},
    {.name = "t10k-labels-idx1-ubyte",
     .sha256 = "ff9110acc0bd87bce7a4ef183f1e00fcd66145d7f0db2ed8cd3aee4b1f6d5b03",
     .bytes = 508},
};

}  // namespace

DatasetEntry entry_mini_mnist() {
  return {.name = "mini_mnist",
          .summary = "The first 100 + 50 images of each class of MNIST; ships with the project",
          .licence = "CC BY-SA 3.0 (Yann LeCun, Corinna Cortes, Christopher J. C. Burges)",
          .files = kFiles,
          .sources = {}};
}

}  // namespace afterspike::datasets
