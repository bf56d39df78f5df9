#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include <ATen/core/Tensor.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/json.hpp"

/// Several processes that train one network together. docs/several-processes.md describes them for
/// users.
namespace afterspike::train {

/// Processes that work together, including this one, each with a number: its rank, from 0. All of
/// them call the same functions in the same order, from one thread.
///
/// Any function throws Error if the work cannot continue: Error(lost) that names the silent ranks
/// or, if another rank has called stop(), its error with its rank.
class Ranks {
 public:
  /// Changes `part`, one-dimensional, in place; it starts at element `offset` of the whole.
  using Add = std::function<void(at::Tensor part, std::int64_t offset)>;

  virtual ~Ranks() = default;

  virtual int rank() const noexcept = 0;
  virtual int size() const noexcept = 0;

  /// Returns the number of ranks on this machine.
  virtual int on_this_host() const noexcept = 0;

  /// Rank 0 starts with its `values`; each rank in turn receives the values from the rank before
  /// it, calls `add`, and passes them on. Finally all ranks have the values of the last one. A sum
  /// therefore has the same bits as in one process that adds the same terms in the same order.
  ///
  /// `values` are contiguous, of the same type and number on all ranks, and change in place. Up to
  /// kPart elements reach `add` as one part, more as several, in order.
  virtual void fold(const at::Tensor& values, const Add& add) = 0;
  static constexpr std::int64_t kPart = 65'536;

  /// Tells all other ranks that this rank fails: they throw an error of the same kind that names
  /// it. The first of several counts. Only the destructor may be called after it.
  virtual void stop(const Error& error) noexcept = 0;
};

/// Returns this process as rank 0 of 1.
Ranks& alone();

/// Sends the values, or the text, of rank 0 to all.
void share(Ranks& ranks, const at::Tensor& values);
std::string share(Ranks& ranks, const std::string& text);

/// Throws Error(config) on a rank whose `facts`, an object, differ from those of rank 0; it names
/// the first member that differs, and both values.
void require_same(Ranks& ranks, const io::Json& facts);

/// Returns this rank's part of `count` numbered items, as first and one past the last. Parts are
/// consecutive in the order of ranks and differ by one at most. Rank 0 has an item if any rank has.
std::pair<std::int64_t, std::int64_t> part_of(const Ranks& ranks, std::int64_t count) noexcept;

}  // namespace afterspike::train
