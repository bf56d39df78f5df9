#pragma once

#include <cstdint>
#include <vector>

#include "afterspike/kernels/elm.hpp"
#include "afterspike/kernels/gemm.hpp"
#include "layout.hpp"
#include "rows.hpp"

namespace afterspike::kernels {

/// Sizes of the MLP of ELM neurons.
struct MlpSizes {
  std::int64_t rows = 0, layers = 0;
  std::int64_t width = 0, memory = 0;  ///< Hidden units and results, of each neuron.
  std::int64_t neurons = 0;            ///< Side by side in lanes, each with its own MLP; 0: one.

  /// Results of the first map, which is not part of the MLP here.
  std::int64_t first() const { return layers > 0 ? width : memory; }
  /// Padded elements of a row of `size` units.
  template <typename T>
  std::int64_t row(std::int64_t size) const {
    constexpr std::int64_t kUnit = kRowElements<T>;
    return neurons > 0 ? size * rounded_up(neurons, kUnit) : rounded_up(size, kUnit);
  }
};

/// The MLP of ELM neurons from the result of its first map on, at each step. Results become their
/// gradients on the way back. A wide plane is one step of all rows of hidden units, a plane one of
/// results.
template <typename T>
class ElmMlp {
 public:
  /// REQUIRES: layout.cut() was called.
  ElmMlp(const MlpSizes& sizes, ElmActivation activation, Layout<T>& layout)
      : s_(sizes),
        activation_(activation),
        lanes_(rounded_up(sizes.neurons, kRowElements<T>)),
        wide_row_(sizes.row<T>(sizes.first())),
        row_size_(sizes.row<T>(sizes.memory)),
        wide_(sizes.rows * wide_row_),
        chunk_(layout.chunk),
        kept_(layout.history.kept),
        delta(layout.track(sizes.rows * row_size_)),
        hidden_(layout.tracks(sizes.layers, wide_)),
        activated_(layout.array(sizes.layers * (kept_ ? chunk_ : 1) * wide_)),
        hidden_gradient_(layout.kept(wide_)) {
    const std::int64_t w = s_.width, inner = s_.layers - 1;
    if (inner > 0) {
      hidden_weight_ = &declare(layout, "hidden_weight", {inner, w, w}, wide_row_);
      hidden_bias_ = &declare(layout, "hidden_bias", {inner, w}, wide_row_);
      hidden_transposed_ = layout.kept(inner * w * wide_row_);
    }
    if (s_.layers > 0) {
      output_weight_ = &declare(layout, "output_weight", {w, s_.memory}, row_size_);
      output_bias_ = &declare(layout, "output_bias", {s_.memory}, row_size_);
      output_transposed_ = layout.kept(s_.memory * wide_row_);
    }
  }

  /// Transposes the weights for the way back.
  void load() const {
    for (std::int64_t layer = 0; kept_ && layer < s_.layers; ++layer) {
      const Map own = map(layer);
      transpose(own.weight, s_.width, own.size, own.transposed);
    }
  }

  /// The transpose of [from, to] of a packed weight: rows of `to` units become rows of `from`.
  void transpose(const T* weight, std::int64_t from, std::int64_t to, T* target) const {
    if (lanes_ == 0) {
      pad_transposed<T>({weight, s_.row<T>(to)}, from, to, target, s_.row<T>(from));
      return;
    }
    for (std::int64_t i = 0; i < from; ++i) {
      for (std::int64_t j = 0; j < to; ++j) {
        std::copy_n(weight + (i * to + j) * lanes_, lanes_, target + (j * from + i) * lanes_);
      }
    }
  }

  /// The result of the first map at step t.
  T* first_map(std::int64_t t) const { return s_.layers > 0 ? hidden(0, t) : delta.at(t); }

  /// From the result of the first map to `delta`.
  void forward(std::int64_t t) const {
    for (std::int64_t layer = 0; layer < s_.layers; ++layer) {
      const Map own = map(layer);
      row_.activate(activation_, wide_, hidden(layer, t), activated_);
      multiply(s_.width, own.size, activated_, own.weight, result(layer, t));
      row_.add_to_each(s_.rows, own.row, own.bias, result(layer, t));
    }
  }

  /// From the gradient by `delta` to that by the result of the first map.
  void backward(std::int64_t t) const {
    for (std::int64_t layer = s_.layers - 1; layer >= 0; --layer) {
      const Map own = map(layer);
      row_.activate(activation_, wide_, hidden(layer, t), activated(layer, t % chunk_));
      multiply(own.size, s_.width, result(layer, t), own.transposed, hidden_gradient_);
      row_.activate_back(activation_, wide_, hidden_gradient_, hidden(layer, t));
    }
  }

  /// Adds the gradients of weights and biases by the steps [begin, end) of a chunk.
  void add_weight_gradients(std::int64_t begin, std::int64_t end) const {
    const std::int64_t count = (end - begin) * s_.rows;
    for (std::int64_t layer = 0; layer < s_.layers; ++layer) {
      const Map own = map(layer);
      const T* gradient = result(layer, begin);
      if (lanes_ > 0) {
        row_.add_outer_each(count, s_.width, own.size, lanes_, activated(layer, 0), gradient,
                            own.weight_sum);
      } else {
        gemm<T>(Take::transposed, Take::plain, s_.width, own.row, count,
                {activated(layer, 0), wide_row_}, {gradient, own.row}, T(1),
                {own.weight_sum, own.row});
      }
      row_.add_up(count, own.row, gradient, own.bias_sum);
    }
  }

  /// to = from weight (+ to), of rows of units of each neuron.
  void multiply(std::int64_t from_size, std::int64_t to_size, const T* from, const T* weight, T* to,
                Into into = Into::replaced) const {
    if (lanes_ > 0) {
      row_.multiply_each(s_.rows, from_size, to_size, lanes_, from, weight, into, to);
    } else {
      row_.multiply(s_.rows, from_size, s_.row<T>(to_size), from, s_.row<T>(from_size), weight,
                    into, to);
    }
  }

 private:
  /// The map that follows a hidden layer.
  struct Map {
    std::int64_t size, row;  ///< Units of the result, and elements of its padded row.
    const T *weight, *bias;
    T *transposed, *weight_sum, *bias_sum;
  };
  Map map(std::int64_t layer) const {
    const auto place = [](T* all, std::int64_t offset) {
      return all == nullptr ? all : all + offset;
    };
    if (layer + 1 == s_.layers) {
      return {s_.memory,          row_size_,           output_weight_->value, output_bias_->value,
              output_transposed_, output_weight_->sum, output_bias_->sum};
    }
    const std::int64_t matrix = layer * s_.width * wide_row_, bias = layer * wide_row_;
    return {s_.width,
            wide_row_,
            hidden_weight_->value + matrix,
            hidden_bias_->value + bias,
            place(hidden_transposed_, matrix),
            place(hidden_weight_->sum, matrix),
            place(hidden_bias_->sum, bias)};
  }

  T* hidden(std::int64_t layer, std::int64_t t) const {
    return hidden_[static_cast<std::size_t>(layer)].at(t);
  }
  /// The result of the map that follows a hidden layer.
  T* result(std::int64_t layer, std::int64_t t) const {
    return layer + 1 == s_.layers ? delta.at(t) : hidden(layer + 1, t);
  }
  /// Activations at a step of a chunk; without a way back there is one place.
  T* activated(std::int64_t layer, std::int64_t step) const {
    return activated_ + (layer * chunk_ + step) * wide_;
  }

  /// A parameter of the table; with lanes, the neurons become an extent after the layers.
  const Parameter<T>& declare(Layout<T>& layout, std::string_view name, const Extents& extents,
                              std::int64_t row) const {
    if (lanes_ == 0) return layout.parameter(name, extents, row);
    const std::size_t outer = name.starts_with("hidden") ? 1 : 0;
    Extents own = extents;
    std::copy_backward(own.values.begin() + outer, own.values.begin() + own.rank,
                       own.values.begin() + own.rank + 1);
    own.values[outer] = s_.neurons;
    ++own.rank;
    return layout.lanes(name, own, lanes_, outer);
  }

  MlpSizes s_;
  ElmActivation activation_;
  std::int64_t lanes_, wide_row_, row_size_, wide_, chunk_;
  bool kept_;
  const Rows<T>& row_ = rows<T>();

 public:
  Track<T> delta;  ///< The result of the last map, d(t).

 private:
  std::vector<Track<T>> hidden_;  ///< Before activation.
  T* activated_;
  T* hidden_gradient_;
  const Parameter<T>*hidden_weight_ = nullptr, *hidden_bias_ = nullptr;
  const Parameter<T>*output_weight_ = nullptr, *output_bias_ = nullptr;
  T *hidden_transposed_ = nullptr, *output_transposed_ = nullptr;
};

}  // namespace afterspike::kernels
