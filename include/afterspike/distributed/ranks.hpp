#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include <ATen/core/Tensor.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/json.hpp"

/// Several processes that train one network together. docs/several-processes.md is the users' side.
namespace afterspike::distributed {

/// The processes that work together, this one among them, each with a number: its rank, from 0.
/// All of them call the same functions in the same order, from one thread.
///
/// Any function throws Error when the work cannot go on: Error(lost) that names the ranks of which
/// nothing is heard any more, or, where another rank has called stop(), its error with its rank.
class Ranks {
 public:
  /// Changes `part`, one-dimensional, in place; it begins at element `offset` of the whole.
  using Add = std::function<void(at::Tensor part, std::int64_t offset)>;

  virtual ~Ranks() = default;

  virtual int rank() const noexcept = 0;
  virtual int size() const noexcept = 0;

  /// How many of them run on the machine of this one.
  virtual int on_this_host() const noexcept = 0;

  /// Rank 0 begins with its `values`; each rank in turn receives what those before it made of
  /// them, calls `add`, and hands them on. What the last one has, all have in the end. So a sum has
  /// the same bits as in one process that adds the same terms in the same order.
  ///
  /// `values` are contiguous, of the same type and number on all ranks, and change in place. Up to
  /// kPart elements come to `add` as one part; more come as several, in order.
  virtual void fold(const at::Tensor& values, const Add& add) = 0;
  static constexpr std::int64_t kPart = 65'536;

  /// Tells all others that this rank fails: they throw an error of the same kind that names it.
  /// The first of several counts. Only the destructor may be called after it.
  virtual void stop(const Error& error) noexcept = 0;
};

/// This process alone: rank 0 of 1, and nobody to wait for.
Ranks& alone();

/// Gives the values, or the text, of rank 0 to all.
void share(Ranks& ranks, const at::Tensor& values);
std::string share(Ranks& ranks, const std::string& text);

/// Throws Error(config) on a rank whose `facts`, an object, are not those of rank 0; it names the
/// first member that differs, and both values.
void require_same(Ranks& ranks, const io::Json& facts);

/// The part of `count` numbered things, first and one past the last, that is this rank's: parts
/// follow each other in the order of ranks, and differ by one at most. Rank 0 has one if any has.
std::pair<std::int64_t, std::int64_t> part_of(const Ranks& ranks, std::int64_t count) noexcept;

}  // namespace afterspike::distributed
