#include "afterspike/tasks/dataset.hpp"

#include <algorithm>
#include <numeric>

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/bytes.hpp"

namespace afterspike::tasks {
namespace {

at::Tensor index_tensor(std::span<const std::int64_t> numbers) {
  at::Tensor index = at::empty({static_cast<std::int64_t>(numbers.size())}, at::kLong);
  std::copy(numbers.begin(), numbers.end(), index.data_ptr<std::int64_t>());
  return index;
}

}  // namespace

std::shared_ptr<const Dataset> Dataset::for_epoch(const Rng&) const {
  return shared_from_this();
}

Subset::Subset(std::shared_ptr<const Dataset> whole, std::vector<std::int64_t> numbers)
    : whole_(std::move(whole)), numbers_(std::move(numbers)) {}

Batch Subset::batch(std::span<const std::int64_t> numbers) const {
  std::vector<std::int64_t> mapped;
  mapped.reserve(numbers.size());
  for (const std::int64_t number : numbers) {
    mapped.push_back(numbers_[static_cast<std::size_t>(number)]);
  }
  return whole_->batch(mapped);
}

std::shared_ptr<const Dataset> Subset::for_epoch(const Rng& epoch) const {
  auto whole = whole_->for_epoch(epoch);
  if (whole == whole_) return shared_from_this();
  return std::make_shared<Subset>(std::move(whole), numbers_);
}

std::shared_ptr<const Dataset> first_samples(std::shared_ptr<const Dataset> whole,
                                             std::int64_t count) {
  if (count == 0 || count >= whole->size()) return whole;
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), std::int64_t{0});
  return std::make_shared<Subset>(std::move(whole), std::move(numbers));
}

Sequences::Sequences(at::Tensor inputs, at::Tensor targets, at::Tensor lengths)
    : inputs_(std::move(inputs)), targets_(std::move(targets)), lengths_(std::move(lengths)) {
  require(inputs_.dim() == 3 && (!targets_.defined() || targets_.size(0) == inputs_.size(0)) &&
              (!lengths_.defined() || lengths_.numel() == inputs_.size(0)),
          ErrorKind::internal, "sequences of shapes that do not fit each other");
}

Batch Sequences::batch(std::span<const std::int64_t> numbers) const {
  const at::Tensor index = index_tensor(numbers);
  Batch batch;
  batch.input = inputs_.index_select(0, index).transpose(0, 1).contiguous();
  if (targets_.defined()) {
    batch.target = targets_.index_select(0, index);
    if (batch.target.dim() == 3) batch.target = batch.target.transpose(0, 1).contiguous();
  }
  if (lengths_.defined()) batch.lengths = lengths_.index_select(0, index);
  return batch;
}

NumberParts split_numbers(std::int64_t size, std::int64_t part, Rng rng) {
  const std::vector<std::int64_t> order = rng.permutation(size);
  NumberParts parts{{order.begin() + part, order.end()}, {order.begin(), order.begin() + part}};
  std::sort(parts.part.begin(), parts.part.end());
  std::sort(parts.rest.begin(), parts.rest.end());
  return parts;
}

Parts split(std::shared_ptr<const Dataset> whole, std::int64_t part, Rng rng) {
  NumberParts numbers = split_numbers(whole->size(), part, rng);
  return {std::make_shared<Subset>(whole, std::move(numbers.rest)),
          std::make_shared<Subset>(whole, std::move(numbers.part))};
}

std::string fingerprint(const Dataset& dataset) {
  constexpr std::int64_t kSamples = 64;
  const std::int64_t count = std::min(kSamples, dataset.size());
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = 0; i < count; ++i) numbers.push_back(i * dataset.size() / count);
  io::Sha256 digest;
  const auto append = [&digest](const void* data, std::size_t size) {
    digest.add({static_cast<const std::byte*>(data), size});
  };
  const std::int64_t size = dataset.size();
  append(&size, sizeof(size));
  if (count > 0) {
    const Batch batch = dataset.batch(numbers);
    for (const at::Tensor* tensor : {&batch.input, &batch.target, &batch.lengths, &batch.weight}) {
      if (!tensor->defined()) continue;
      const at::Tensor plain = tensor->contiguous();
      append(plain.sizes().data(), plain.sizes().size() * sizeof(std::int64_t));
      append(plain.data_ptr(), plain.nbytes());
    }
  }
  return digest.hexadecimal();
}

}  // namespace afterspike::tasks
