#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "afterspike/base/rng.hpp"

namespace afterspike::data {

/// Samples side by side, as networks take them.
struct Batch {
  at::Tensor input;   ///< [steps, batch, features], float32.
  at::Tensor target;  ///< Classes [batch], int64; or traces [steps, batch, outputs], float32; or
                      ///< undefined where a file has none.
  at::Tensor
      lengths;        ///< [batch], int64: steps that belong to each sample; undefined: all of them.
  at::Tensor weight;  ///< [steps, batch], float32, of 0 and 1: the steps for which the traces are
                      ///< asked; undefined: all. At least one of each sample.
};

/// A set of samples. Const calls may come from many threads.
class Dataset : public std::enable_shared_from_this<Dataset> {
 public:
  virtual ~Dataset() = default;
  virtual std::int64_t size() const = 0;

  /// The samples with the given numbers, in that order. REQUIRES: 0 <= number < size().
  virtual Batch batch(std::span<const std::int64_t> numbers) const = 0;

  /// The samples that one epoch of training sees, as many in each. A set whose samples are drawn or
  /// varied anew does so by `epoch`, the stream of random numbers of that epoch; others, this one,
  /// are the same in all. REQUIRES: the set is owned by a shared_ptr.
  virtual std::shared_ptr<const Dataset> for_epoch(const Rng& epoch) const;
};

/// Some of the samples of another data set.
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

/// The first `count` samples; all where count is 0 or there are no more.
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

/// SHA-256 that tells a data set from another: of its size and of up to 64 samples spread over it,
/// inputs, targets and lengths.
std::string fingerprint(const Dataset& dataset);

}  // namespace afterspike::data
