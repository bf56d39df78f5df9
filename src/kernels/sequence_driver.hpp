#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "afterspike/base/denormals.hpp"
#include "afterspike/base/error.hpp"
#include "afterspike/kernels/gemm.hpp"
#include "afterspike/kernels/sequence.hpp"
#include "afterspike/kernels/workspace.hpp"
#include "input_products.hpp"
#include "layout.hpp"
#include "padded_masks.hpp"
#include "rows.hpp"

/// The driver of whole-sequence kernels: one algorithm for all models. It cuts sequences into
/// segments and chunks, keeps states and histories or computes them again, packs parameters and
/// gradients, and searches the history that fits a limit. Each model's source includes it,
/// specialises Cells and instantiates SequenceKernel.
namespace afterspike::kernels {

/// The neurons of a model: their parts of the workspace, declared as members by the functions of
/// Layout, and the functions of CellsBase. Steps [begin, end) belong to one chunk; arrays of inputs
/// and outputs begin at their first step.
template <typename Model, typename T>
struct Cells;

/// The functions of Cells. The first group may be left out. A kernel hides those it needs; calls
/// are resolved by the type of the kernel.
template <typename T>
struct CellsBase {
  explicit CellsBase(Layout<T>& own) : layout(own) {}

  void load() {}                                        ///< After parameters were packed.
  void prepare_backward(std::int64_t, std::int64_t) {}  ///< Before the way back of a chunk.
  void finish() {}                                      ///< Before gradients are unpacked.
  std::int64_t block() const { return 1; }              ///< Steps that do not depend on each other.
  /// First step of the block that ends at `end`, on the way back to step `begin` of a chunk.
  std::int64_t block_begin(std::int64_t /*begin*/, std::int64_t end) const { return end - 1; }

  // void drive(const T* input, begin, end): the part without recurrence.
  // void forward_steps(begin, end): at most block() steps, after drive().
  // void copy_out(t, T* to): writes the emissions of step t, [rows, neurons].
  // void copy_state(name, T* to): writes a part of the state after the last step.
  // void backward_steps(begin, end): at most block() steps; sees given_gradient_at(t).
  // void weight_gradients(const T* input, begin, end): adds to the sums.
  // void input_gradient(begin, end, T* to)

  /// Writes the last `delay` emissions, [delay, rows, neurons] with the latest last; zeros before
  /// the sequence.
  template <typename Self>
  static void copy_emissions(const Self& cells, std::int64_t delay, T* to) {
    for (std::int64_t t = cells.layout.steps - delay; t < cells.layout.steps; ++t) {
      if (t < 0) {
        std::fill_n(to, cells.outputs, T(0));
      } else {
        cells.copy_out(t, to);
      }
      to += cells.outputs;
    }
  }

  /// The gradient by the emissions of step t, [rows, outputs]; nullptr: 0.
  const T* given_gradient_at(std::int64_t t) const {
    const bool any = given_gradient != nullptr && t >= first;
    return any ? given_gradient + (t - first) * outputs : nullptr;
  }

  Layout<T>& layout;
  bool again = false;                 ///< forward_steps() runs a segment again.
  std::int64_t first = 0;             ///< The first step whose emissions are wanted.
  std::int64_t outputs = 0;           ///< Elements of the emissions of a step.
  const T* given_gradient = nullptr;  ///< By the emissions from step `first` on.
  const T* given_magnitude_gradient = nullptr;
};

template <typename Model, typename T>
struct SequenceKernel<Model, T>::Impl {
  Impl(const Shape& shape, const Settings& settings, const Arrays<const T>& values,
       const Masks<T>& given, History history, Precision precision, std::size_t least)
      : masks(given),
        kind{given.recurrent != nullptr, checked(precision)},
        inputs(shape.inputs),
        workspace(std::max(least, workspace_bytes(shape, history, kind))),
        layout(shape.steps, shape.rows, history, kind, masks, workspace.data()),
        cells(shape, settings, layout) {
    cells.outputs = shape.rows * Model::outputs(shape);
    layout.pack(values);
    layout.begin_forward();
    cells.load();
  }

  static Precision checked(Precision precision) {
    require(precision == Precision::float32 ||
                (Model::kBfloat16 && std::is_same_v<T, float> && has_bfloat16()),
            ErrorKind::config,
            "precision: bfloat16 needs single precision, a model with a kernel for it and a "
            "processor that multiplies bfloat16. Use float32.");
    return precision;
  }

  std::int64_t input_size(std::int64_t steps) const { return steps * layout.rows * inputs; }

  void forward(const T* input, std::int64_t first, T* emitted) {
    cells.first = first;
    for (std::int64_t i = 0; i < layout.segments; ++i) {
      layout.save(i);
      run_segment(i, input, emitted);
    }
  }

  /// Runs a segment from the state before it and writes its emissions unless `emitted` is nullptr.
  void run_segment(std::int64_t index, const T* input, T* emitted) {
    const std::int64_t last = layout.end_of(index);
    for (std::int64_t begin = layout.begin_of(index); begin < last; begin += layout.chunk) {
      const std::int64_t end = std::min(last, begin + layout.chunk);
      cells.drive(input + input_size(begin), begin, end);
      for (std::int64_t t = begin; t < end; t += cells.block()) {
        cells.forward_steps(t, std::min(end, t + cells.block()));
      }
      if (emitted == nullptr) continue;
      for (std::int64_t t = std::max(begin, cells.first); t < end; ++t) {
        cells.copy_out(t, emitted + (t - cells.first) * cells.outputs);
      }
    }
  }

  void backward(const T* input, const Outer& outer, const Arrays<T>& gradients, T* input_gradient) {
    require(layout.history.kept, ErrorKind::internal, "backward: the forward pass kept no history");
    cells.given_gradient = outer.emitted;
    cells.given_magnitude_gradient = outer.magnitude;
    layout.set_gradients(gradients);
    layout.begin_backward();
    cells.again = true;
    for (std::int64_t i = layout.segments - 1; i >= 0; --i) {
      if (i + 1 < layout.segments) {
        layout.restore(i);
        run_segment(i, input, nullptr);
      }
      go_back(i, input, input_gradient);
    }
    cells.finish();
    layout.unpack();
  }

  void go_back(std::int64_t index, const T* input, T* input_gradient) {
    const std::int64_t first_step = layout.begin_of(index);
    for (std::int64_t end = layout.end_of(index); end > first_step;) {
      const std::int64_t begin = (end - 1) / layout.chunk * layout.chunk;
      cells.prepare_backward(begin, end);
      for (std::int64_t to = end; to > begin;) {
        const std::int64_t from = cells.block_begin(begin, to);
        cells.backward_steps(from, to);
        to = from;
      }
      cells.weight_gradients(input + input_size(begin), begin, end);
      if (input_gradient != nullptr) {
        cells.input_gradient(begin, end, input_gradient + input_size(begin));
      }
      end = begin;
    }
  }

  const Masks<T> masks;
  const PassKind kind;
  const std::int64_t inputs;
  Workspace workspace;
  Layout<T> layout;
  Cells<Model, T> cells;
};

template <typename Model, typename T>
SequenceKernel<Model, T>::SequenceKernel(const Shape& shape, const Settings& settings,
                                         const Arrays<const T>& values, const Masks<T>& masks,
                                         History history, Precision precision,
                                         std::size_t workspace)
    : impl_(std::make_unique<Impl>(shape, settings, values, masks, history, precision, workspace)) {
}

template <typename Model, typename T>
SequenceKernel<Model, T>::~SequenceKernel() = default;

template <typename Model, typename T>
void SequenceKernel<Model, T>::forward(const T* input, std::int64_t first, T* emitted,
                                       T* magnitude) {
  const GemmScope scope;
  const DenormalsFlushed flushed;
  impl_->forward(input, first, emitted);
  if constexpr (Model::kMagnitude) {
    if (magnitude != nullptr) impl_->cells.copy_magnitude(magnitude);
  }
}

template <typename Model, typename T>
void SequenceKernel<Model, T>::copy_state(const Arrays<T>& to) const {
  for (const auto& [name, array] : to) impl_->cells.copy_state(name, array);
}

template <typename Model, typename T>
void SequenceKernel<Model, T>::backward(const T* input, const Outer& outer,
                                        const Arrays<T>& gradients, T* input_gradient) {
  const GemmScope scope;
  const DenormalsFlushed flushed;
  impl_->backward(input, outer, gradients, input_gradient);
}

template <typename Model, typename T>
std::vector<ParameterShape> SequenceKernel<Model, T>::parameters(const Shape& shape) {
  const Masks<T> masks;
  Layout<T> layout(shape.steps, shape.rows, History::none(), {}, masks, nullptr);
  const Cells<Model, T> cells(shape, Settings(), layout);
  std::vector<ParameterShape> table;
  for (const Parameter<T>& own : layout.table()) {
    const auto extents = own.extents.all();
    if (own.empty()) continue;
    table.push_back({own.name, {extents.begin(), extents.end()}, own.optional});
  }
  return table;
}

template <typename Model, typename T>
std::size_t SequenceKernel<Model, T>::workspace_bytes(const Shape& shape, History history,
                                                      PassKind kind) {
  const Masks<T> masks;
  Layout<T> layout(shape.steps, shape.rows, history, kind, masks, nullptr);
  const Cells<Model, T> cells(shape, Settings(), layout);
  return layout.arena.bytes();
}

template <typename Model, typename T>
History SequenceKernel<Model, T>::longest_history(const Shape& shape, PassKind kind,
                                                  std::size_t limit) {
  History best = History::whole();
  std::size_t least = workspace_bytes(shape, best, kind);
  for (std::int64_t parts = 2; least > limit && parts <= shape.steps; ++parts) {
    const History history{true, (shape.steps + parts - 1) / parts};
    const std::size_t bytes = workspace_bytes(shape, history, kind);
    if (bytes < least) {
      least = bytes;
      best = history;
    }
  }
  return best;
}

}  // namespace afterspike::kernels
