#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "afterspike/base/rng.hpp"

namespace afterspike::tasks {

/// A batch of samples, in the layout of networks.
struct Batch {
  at::Tensor input;    ///< [steps, batch, features], float32.
  at::Tensor target;   ///< Classes [batch], int64; or traces [steps, batch, outputs], float32; or
                       ///< undefined if a file has none.
  at::Tensor lengths;  ///< [batch], int64: length of each sample; undefined: all steps.
  at::Tensor weight;  ///< [steps, batch], float32, of 0 and 1: the scored steps of traces, at least
                      ///< one per sample; undefined: all.
};

/// A set of samples. Const calls may come from many threads.
class Dataset : public std::enable_shared_from_this<Dataset> {
 public:
  virtual ~Dataset() = default;
  virtual std::int64_t size() const = 0;

  /// Returns the samples with the given numbers, in that order. REQUIRES: 0 <= number < size().
  virtual Batch batch(std::span<const std::int64_t> numbers) const = 0;

  /// Returns the samples of one epoch of training, equally many in each. A set whose samples are
  /// drawn or varied does so by `epoch`, the random stream of that epoch. The default returns the
  /// set itself. REQUIRES: the set is owned by a shared_ptr.
  virtual std::shared_ptr<const Dataset> for_epoch(const Rng& epoch) const;
};

/// A selection of the samples of another data set.
class Subset final : public Dataset {
 public:
  Subset(std::shared_ptr<const Dataset> whole, std::vector<std::int64_t> numbers);
  std::int64_t size() const override { return static_cast<std::int64_t>(numbers_.size()); }
  Batch batch(std::span<const std::int64_t> numbers) const override;
  std::shared_ptr<const Dataset> for_epoch(const Rng& epoch) const override;

 private:
  std::shared_ptr<const Dataset> whole_;
  std::vector<std::int64_t> numbers_;
};

/// Returns the first `count` samples; all if count is 0 or larger than the set.
std::shared_ptr<const Dataset> first_samples(std::shared_ptr<const Dataset> whole,
                                             std::int64_t count);

/// Samples in memory, all with the same number of steps unless `lengths` says otherwise.
class Sequences final : public Dataset {
 public:
  /// `inputs` [samples, steps, features]; `targets` classes [samples] or traces [samples, steps,
  /// outputs] or undefined; `lengths` [samples] or undefined.
  Sequences(at::Tensor inputs, at::Tensor targets, at::Tensor lengths = {});
  std::int64_t size() const override { return inputs_.size(0); }
  Batch batch(std::span<const std::int64_t> numbers) const override;

 private:
  at::Tensor inputs_, targets_, lengths_;
};

/// Two parts of the numbers 0 .. size - 1: `part` of them drawn by the stream, and the rest; both
/// in ascending order.
struct NumberParts {
  std::vector<std::int64_t> rest, part;
};
NumberParts split_numbers(std::int64_t size, std::int64_t part, Rng rng);

/// Two parts of a data set: `part` samples drawn by the stream, and the rest; both in the order of
/// the whole.
struct Parts {
  std::shared_ptr<const Dataset> rest, part;
};
Parts split(std::shared_ptr<const Dataset> whole, std::int64_t part, Rng rng);

/// Returns a SHA-256 that identifies a data set: of its size and of inputs, targets and lengths of
/// up to 64 samples spread over it.
std::string fingerprint(const Dataset& dataset);

}  // namespace afterspike::tasks
