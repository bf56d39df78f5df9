#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "afterspike/base/error.hpp"
#include "afterspike/kernels/sequence.hpp"
#include "arena.hpp"
#include "parameter.hpp"
#include "track.hpp"

/// The workspace of a pass: parameters, states and histories, declared by a kernel and managed by
/// the driver (sequence_driver.hpp).
///
/// A sequence is cut into segments and these into chunks. The forward pass keeps the history of the
/// last segment; the backward pass computes the others again, each from the state before it.
namespace afterspike::kernels {

/// The data that a chunk of steps touches should stay in the second-level cache.
inline constexpr std::int64_t kChunkBytes = std::int64_t{1} << 20;

/// The parts of a workspace. A kernel declares its parts as members initialised by these
/// functions, in any order after cut(); without a workspace they only count bytes.
template <typename T>
class Layout {
 public:
  Layout(std::int64_t sequence, std::int64_t sequences, History kept_history, PassKind pass_kind,
         const Masks<T>& given, std::byte* data)
      : steps(sequence),
        rows(sequences),
        history(kept_history),
        kind(pass_kind),
        masks(given),
        arena(data) {}
  Layout(const Layout&) = delete;
  Layout& operator=(const Layout&) = delete;

  /// Sets the lengths of chunks and segments, for a kernel that touches `step_bytes` each step.
  /// Returns the steps of a chunk.
  std::int64_t cut(std::int64_t step_bytes, std::int64_t chunk_bytes = kChunkBytes) {
    chunk =
        std::clamp<std::int64_t>(chunk_bytes / step_bytes, 1, std::min<std::int64_t>(steps, 64));
    const std::int64_t wanted = history.kept ? history.segment : 1;
    segment = rounded_up(std::clamp<std::int64_t>(wanted, 1, steps), chunk);
    segments = (steps + segment - 1) / segment;
    return chunk;
  }

  /// A parameter in rows padded to `columns` elements; `extents` as in the table. With `groups`,
  /// each row is that many padded groups (Packing).
  const Parameter<T>& parameter(std::string_view name, const Extents& extents, std::int64_t columns,
                                std::int64_t groups = 1, std::int64_t shift = 0,
                                bool optional = false) {
    const std::int64_t last = extents.last();
    Parameter<T>& own =
        add(name, extents, {Packing::Kind::padded, last / groups, columns, groups, shift});
    own.optional = optional;
    own.rows = last == 0 ? 0 : own.rows / last;
    return placed(own);
  }
  /// A parameter of `neurons` neurons side by side in rows of `columns`; `extents` begin with
  /// `outer` further ones.
  const Parameter<T>& lanes(std::string_view name, const Extents& extents, std::int64_t columns,
                            std::size_t outer = 0) {
    const std::int64_t neurons = extents.values[outer];
    Parameter<T>& own = add(name, extents, {Packing::Kind::lanes, neurons, columns});
    const std::int64_t all = own.rows;
    own.rows = outer == 0 ? 1 : extents.values[0];
    own.elements = all == 0 ? 0 : all / own.rows / neurons;
    return placed(own);
  }
  /// A parameter that the kernel reads from where it was given.
  const Parameter<T>& uncopied(std::string_view name, const Extents& extents) {
    return add(name, extents, {Packing::Kind::given});
  }

  T* array(std::int64_t count) { return arena.template take<T>(count); }
  /// An array for the backward pass only.
  T* kept(std::int64_t count) { return array(history.kept ? count : 0); }
  /// An array that is zero before the first step.
  T* cleared(std::int64_t count) { return remember(cleared_, array(count), count); }
  /// The same, and its value before each segment is saved.
  T* state(std::int64_t count) {
    const bool saves = saved_segments() > 0;
    states_.push_back({cleared(count), saves ? array(segments * count) : nullptr, count});
    return states_.back().now;
  }
  /// An array that is zero before the backward pass.
  T* sum(std::int64_t count) {
    const std::int64_t size = history.kept ? count : 0;
    return remember(sums_, array(size), size);
  }

  Track<T> track(std::int64_t plane, TrackUse use = {}) {
    Track<T> own;
    own.use_ = use;
    own.plane_ = plane;
    const std::int64_t ring = rounded_up(segment + use.lead + use.tail, chunk);
    const std::int64_t overlap = use.across ? chunk : 0;
    const std::int64_t saved = saved_segments() * use.lead;
    if (ring + overlap + saved >= steps + use.rest) {
      own.slots_ = steps + use.rest;
      own.offset_ = use.rest;
    } else {
      own.slots_ = ring;
      own.offset_ = rounded_up(use.rest, chunk);
      own.overlap_ = overlap;
      if (saved > 0) own.saved_ = array(saved * plane);
    }
    own.data_ = array((own.slots_ + own.overlap_) * plane);
    tracks_.push_back(own);
    return own;
  }

  std::vector<Track<T>> tracks(std::int64_t count, std::int64_t plane) {
    std::vector<Track<T>> all;
    for (std::int64_t i = 0; i < count; ++i) all.push_back(track(plane));
    return all;
  }

  /// First step of a segment.
  std::int64_t begin_of(std::int64_t index) const { return index * segment; }
  std::int64_t end_of(std::int64_t index) const {
    return std::min(steps, begin_of(index) + segment);
  }

  void save(std::int64_t index) const {
    if (saved_segments() == 0) return;
    for (const State& own : states_) std::copy_n(own.now, own.size, own.saved + index * own.size);
    for (const Track<T>& own : tracks_) own.save(index, begin_of(index));
  }
  void restore(std::int64_t index) const {
    for (const State& own : states_) std::copy_n(own.saved + index * own.size, own.size, own.now);
    for (const Track<T>& own : tracks_) own.restore(index, begin_of(index));
  }

  void begin_forward() const {
    for (const Part& part : cleared_) std::fill_n(part.data, part.size, T(0));
    for (const Track<T>& own : tracks_) own.begin();
  }
  void begin_backward() const {
    for (const Part& part : sums_) std::fill_n(part.data, part.size, T(0));
  }

  /// Copies the values of all parameters into the workspace.
  void pack(const Arrays<const T>& values) {
    for (Parameter<T>& own : table()) {
      own.given = find(values, own);
      own.pack();
    }
  }
  /// Sets the places for gradients, which unpack() fills from the sums.
  void set_gradients(const Arrays<T>& gradients) {
    for (Parameter<T>& own : table()) own.gradient = find(gradients, own);
  }
  void unpack() const {
    for (std::size_t i = 0; i < used_; ++i) parameters_[i].unpack();
  }

  std::span<Parameter<T>> table() { return {parameters_.data(), used_}; }

  const std::int64_t steps, rows;
  const History history;
  const PassKind kind;
  const Masks<T>& masks;
  Arena arena;
  std::int64_t chunk = 1, segment = 1, segments = 1;

 private:
  struct Part {
    T* data;
    std::int64_t size;
  };
  struct State {
    T* now;
    T* saved;  ///< [segments]
    std::int64_t size;
  };

  std::int64_t saved_segments() const { return history.kept && segments > 1 ? segments : 0; }

  static T* remember(std::vector<Part>& parts, T* data, std::int64_t size) {
    parts.push_back({data, size});
    return data;
  }

  /// `rows` of the result is the number of its elements.
  Parameter<T>& add(std::string_view name, const Extents& extents, const Packing& packing) {
    Parameter<T>& own = parameters_.at(used_++);
    own.name = name;
    own.extents = extents;
    own.packing = packing;
    own.rows = extents.product();
    return own;
  }
  const Parameter<T>& placed(Parameter<T>& own) {
    own.value = array(own.packed_size());
    own.sum = sum(own.packed_size());
    return own;
  }

  template <typename U>
  static U* find(const Arrays<U>& arrays, const Parameter<T>& own) {
    const auto found = arrays.find(own.name);
    const bool there = found != arrays.end() && found->second != nullptr;
    require(there || own.optional || own.empty(), ErrorKind::internal,
            "kernel parameter '{}': no array was given", own.name);
    return there ? found->second : nullptr;
  }

  std::array<Parameter<T>, 24> parameters_;
  std::size_t used_ = 0;
  std::vector<Part> cleared_, sums_;
  std::vector<State> states_;
  std::vector<Track<T>> tracks_;
};

}  // namespace afterspike::kernels
