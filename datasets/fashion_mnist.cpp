#include "afterspike/datasets/datasets.hpp"

namespace afterspike::datasets {
namespace {

constexpr FileSpec kFiles[] = {
    {.name = "train-images-idx3-ubyte",
     .sha256 = "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
     .bytes = 47'040'016},
    {.name = "train-labels-idx1-ubyte",
     .sha256 = "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
     .bytes = 60'008},
    {.name = "t10k-images-idx3-ubyte",
     .sha256 = "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
     .bytes = 7'840'016},
    {.name = "t10k-labels-idx1-ubyte",
     .sha256 = "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
     .bytes = 10'008},
};

// The authors publish over plain HTTP only; the checksums make that safe.
constexpr Source kSources[] = {
    {.kind = Source::Kind::https,
     .location = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"},
    {.kind = Source::Kind::debian,
     .location = "dataset-fashion-mnist",
     .inside = "/usr/share/datasets/fashion-mnist"},
};

}  // namespace

DatasetEntry entry_fashion_mnist() {
  return {.name = "fashion_mnist",
          .summary = "60,000 + 10,000 images of articles of clothing, 28 x 28 grey, 10 classes",
          .licence = "MIT (Zalando SE)",
          .files = kFiles,
          .sources = kSources};
}

}  // namespace afterspike::datasets
