#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "afterspike/kernels/gemm.hpp"
#include "layout.hpp"
#include "padded_masks.hpp"

namespace afterspike::kernels {

/// Rounds to the nearest bfloat16, ties to even. REQUIRES: count is a multiple of kRowElements.
void to_bfloat16(const float* from, std::int64_t count, std::uint16_t* to);

/// Sizes of recurrent synapses. Emissions are rows of `units` elements, `columns` apart; their
/// targets are rows of `targets` elements, `target_stride` apart.
struct RecurrenceSizes {
  std::int64_t units = 0, columns = 0, targets = 0, target_stride = 0;
  std::int64_t weight_stride = 0;
  std::int64_t back_inner = 0;        ///< Elements of a target's gradient that go back.
  std::int64_t back_columns = 0;      ///< Elements of an emission's gradient that are computed.
  std::int64_t gradient_columns = 0;  ///< Elements of a row of the weight's gradient.
  std::int64_t delay = 1;
};

/// Recurrent synapses with a delay: the products of emissions and weights, of `delay` steps or a
/// chunk at a time, and their adjoints.
template <typename T>
class Recurrence {
 public:
  /// `weight` [units, weight_stride] as packed.
  Recurrence(const RecurrenceSizes& sizes, const Parameter<T>& weight, Layout<T>& layout)
      : s_(sizes),
        rows_(layout.rows),
        steps_(layout.steps),
        bfloat16_(layout.kind.precision == Precision::bfloat16),
        kept_(layout.history.kept),
        weight_(weight),
        transposed_(layout.kept(sizes.weight_stride * sizes.columns)),
        masked_(
            layout.array(layout.kind.recurrent_mask ? layout.chunk * rows_ * sizes.columns : 0)) {
    const auto halves = [&](bool wanted, std::int64_t count) {
      return layout.arena.template take<Bfloat16>(bfloat16_ && wanted ? count : 0);
    };
    const std::int64_t chunk = layout.chunk * rows_;
    half_weight_ = halves(true, sizes.units * sizes.weight_stride);
    half_transposed_ = halves(kept_, sizes.weight_stride * sizes.columns);
    half_sent_ = halves(true, chunk * std::max(sizes.columns, sizes.target_stride));
    half_gradient_ = halves(kept_, chunk * sizes.target_stride);
  }

  /// Prepares the weights for both directions.
  void load() const {
    if (kept_) {
      pad_transposed<T>({weight_.value, s_.weight_stride}, s_.units, s_.weight_stride, transposed_,
                        s_.columns);
    }
    if (!bfloat16_) return;
    round(weight_.value, s_.units * s_.weight_stride, half_weight_);
    if (kept_) round(transposed_, s_.weight_stride * s_.columns, half_transposed_);
  }

  /// Adds the products that arrive at steps [begin, end) to their targets, `to` at step `begin`.
  /// REQUIRES: end - begin is at most the delay and the steps of a chunk.
  void arrive(const Track<T>& emitted, const PaddedMasks<T>& masks, std::int64_t begin,
              std::int64_t end, T* to) const {
    const std::int64_t t = std::max(begin, s_.delay);
    if (t >= end) return;
    multiply((end - t) * rows_, s_.targets, s_.units, arriving(emitted, masks, t, end - t),
             s_.columns, weight_.value, half_weight_, s_.weight_stride, T(1),
             to + (t - begin) * rows_ * s_.target_stride, s_.target_stride);
  }

  /// The end of those of steps [begin, end) whose emissions arrive within the sequence.
  std::int64_t last_arriving(std::int64_t end) const { return std::min(end, steps_ - s_.delay); }

  /// Gradient by emissions through their arrival at `count` steps, of whose targets `targets` are
  /// the gradients: to = result + beta to. REQUIRES: `count` as for arrive().
  void go_back(std::int64_t count, const T* targets, T beta, T* to) const {
    multiply(count * rows_, s_.back_columns, s_.back_inner, targets, s_.target_stride, transposed_,
             half_transposed_, s_.columns, beta, to, s_.columns);
  }

  /// Adds to the gradient of the weights the part by `count` steps from t on, which have the
  /// gradients `targets`. REQUIRES: count is at most the steps of a chunk.
  void add_weight_gradient(const Track<T>& emitted, const PaddedMasks<T>& masks, std::int64_t t,
                           std::int64_t count, const T* targets) const {
    const T* sent = arriving(emitted, masks, t, count);
    const std::int64_t rows = count * rows_;
    if constexpr (std::is_same_v<T, float>) {
      if (bfloat16_) {
        round(sent, rows * s_.columns, half_sent_);
        round(targets, rows * s_.target_stride, half_gradient_);
        gemm(Take::transposed, Take::plain, s_.units, s_.gradient_columns, rows,
             {half_sent_, s_.columns}, {half_gradient_, s_.target_stride}, 1.0F,
             {weight_.sum, s_.weight_stride});
        return;
      }
    }
    gemm<T>(Take::transposed, Take::plain, s_.units, s_.gradient_columns, rows, {sent, s_.columns},
            {targets, s_.target_stride}, T(1), {weight_.sum, s_.weight_stride});
  }

 private:
  /// Emissions that arrive at `count` steps from t on; valid until the next call.
  const T* arriving(const Track<T>& emitted, const PaddedMasks<T>& masks, std::int64_t t,
                    std::int64_t count) const {
    const T* sent = emitted.at(t - s_.delay);
    if (!masks.recurrent()) return sent;
    masks.apply_recurrent(sent, t, count, masked_);
    return masked_;
  }

  static void round(const T* from, std::int64_t count, Bfloat16* to) {
    if constexpr (std::is_same_v<T, float>) to_bfloat16(from, count, to);
  }

  /// to = from right + beta to, of [m, k] and [k, n].
  void multiply(std::int64_t m, std::int64_t n, std::int64_t k, const T* from, std::int64_t stride,
                const T* right, const Bfloat16* half_right, std::int64_t right_stride, T beta,
                T* to, std::int64_t to_stride) const {
    if constexpr (std::is_same_v<T, float>) {
      if (bfloat16_) {
        round(from, m * stride, half_sent_);
        gemm(Take::plain, Take::plain, m, n, k, {half_sent_, stride}, {half_right, right_stride},
             beta, {to, to_stride});
        return;
      }
    }
    gemm<T>(Take::plain, Take::plain, m, n, k, {from, stride}, {right, right_stride}, beta,
            {to, to_stride});
  }

  RecurrenceSizes s_;
  std::int64_t rows_, steps_;
  bool bfloat16_, kept_;
  const Parameter<T>& weight_;
  T* transposed_;  ///< [weight_stride, columns]
  T* masked_;      ///< A chunk of emissions under their mask.
  Bfloat16 *half_weight_, *half_transposed_, *half_sent_, *half_gradient_;
};

}  // namespace afterspike::kernels
