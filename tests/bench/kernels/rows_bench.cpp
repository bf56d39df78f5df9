// How fast is what lies between the large products of ELM neurons? Shapes of a neuron with 100
// memory units, an MLP of 200, 700 inputs, and shards of 4 rows.

#include <cmath>
#include <vector>

#include "kernels/rows.hpp"
#include "numbers.hpp"

namespace afterspike::kernels {
namespace {

using testing::Numbers;
using testing::same;

constexpr std::int64_t kMemory = 112, kWidth = 208, kInputs = 700, kRows = 4;  // Padded.

void RowsMultiply(benchmark::State& state) {
  const std::int64_t count = state.range(0), inner = state.range(1), columns = state.range(2);
  const Numbers from(count * inner, "from", -1, 1), right(inner * columns, "right", -1, 1);
  Numbers to(count * columns);
  const auto multiply = [&] {
    rows<float>().multiply(count, inner, columns, from.data(), inner, right.data(), Into::replaced,
                           to.data());
  };
  multiply();
  const auto expected = [&](std::int64_t i) {
    double sum = 0;
    for (std::int64_t k = 0; k < inner; ++k) {
      sum += static_cast<double>(from[i / columns * inner + k]) * right[k * columns + i % columns];
    }
    return sum;
  };
  if (!same(state, to, expected)) return;
  for (auto _ : state) {
    multiply();
    benchmark::ClobberMemory();
  }
  state.counters["FLOP/s"] = benchmark::Counter(2.0 * static_cast<double>(count * inner * columns),
                                                benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(RowsMultiply)
    ->ArgNames({"rows", "inner", "columns"})
    ->Args({kRows, 100, kWidth})
    ->Args({kRows, 200, kMemory})
    ->Args({32, 100, kWidth});

/// Inputs of one row, of which about 1 in 80 is not zero.
struct Spikes {
  Numbers dense;
  std::vector<std::int32_t> index;
  std::vector<float> value;

  Spikes() : dense(kInputs, "spikes", 0, 1), index(kInputs), value(kInputs) {
    for (std::int64_t i = 0; i < kInputs; ++i) dense[i] = dense[i] < 0.0125F ? 1.0F : 0.0F;
  }
  Sparse<float> compressed() {
    const std::int64_t count =
        rows<float>().compress(dense.data(), kInputs, kInputs, index.data(), value.data());
    return {count, index.data(), value.data()};
  }
};

void RowsCompress(benchmark::State& state) {
  Spikes spikes;
  const Sparse<float> sparse = spikes.compressed();
  Numbers rebuilt(kInputs);
  for (std::int64_t i = 0; i < sparse.count; ++i) rebuilt[sparse.index[i]] = sparse.value[i];
  if (!same(
          state, rebuilt, [&](std::int64_t i) { return spikes.dense[i]; }, 0))
    return;
  for (auto _ : state) benchmark::DoNotOptimize(spikes.compressed());
}
BENCHMARK(RowsCompress);

void RowsGather(benchmark::State& state) {
  Spikes spikes;
  const Sparse<float> sparse = spikes.compressed();
  const Numbers matrix(kInputs * kWidth, "matrix", -1, 1);
  Numbers to(kWidth);
  const auto gather = [&] {
    rows<float>().gather(sparse, matrix.data(), kWidth, kWidth, to.data());
  };
  gather();
  const auto expected = [&](std::int64_t column) {
    double sum = 0;
    for (std::int64_t i = 0; i < kInputs; ++i) {
      sum += static_cast<double>(spikes.dense[i]) * matrix[i * kWidth + column];
    }
    return sum;
  };
  if (!same(state, to, expected)) return;
  for (auto _ : state) {
    gather();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(RowsGather);

void RowsScatter(benchmark::State& state) {
  Spikes spikes;
  const Sparse<float> sparse = spikes.compressed();
  const Numbers from(kWidth, "from", -1, 1);
  Numbers matrix(kInputs * kWidth);
  const auto scatter = [&] {
    rows<float>().scatter(sparse, from.data(), kWidth, matrix.data(), kWidth);
  };
  scatter();
  const auto expected = [&](std::int64_t i) {
    return static_cast<double>(spikes.dense[i / kWidth]) * from[i % kWidth];
  };
  if (!same(state, matrix, expected)) return;
  for (auto _ : state) {
    scatter();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(RowsScatter);

/// A step of memory with all that it takes.
struct Memory {
  static constexpr std::int64_t kPlane = kRows * kMemory;
  Numbers keep{kMemory, "keep", 0.5, 1}, gain{kMemory, "gain", 0, 0.5};
  Numbers before{kPlane, "before", -1, 1}, delta{kPlane, "delta", -2, 2}, memory{kPlane};
  Numbers recalled{kPlane, "recalled", -1, 1}, emitted{kPlane, "emitted", -1, 1};
  Numbers after{kPlane, "after", -1, 1}, keep_sum{kMemory}, gain_sum{kMemory};

  MemoryStep<float> step() {
    return {kRows, kMemory, keep.data(), gain.data(), before.data(), delta.data(), memory.data()};
  }
  MemoryGradients<float> gradients() {
    MemoryGradients<float> result;
    result.emitted = emitted.data();
    result.recalled = recalled.data();
    result.after = after.data();
    result.keep = keep_sum.data();
    result.gain = gain_sum.data();
    return result;
  }
};

double squashed(double x) {
  return 1.7159 * std::tanh(2.0 / 3.0 * x);
}

void RowsMemoryForward(benchmark::State& state) {
  Memory own;
  const Numbers delta(Memory::kPlane, "delta", -2, 2);
  rows<float>().memory_forward(own.step());
  const auto expected = [&](std::int64_t i) {
    return static_cast<double>(own.keep[i % kMemory]) * own.before[i] +
           own.gain[i % kMemory] * squashed(delta[i]);
  };
  if (!same(state, own.memory, expected)) return;
  for (auto _ : state) {
    rows<float>().memory_forward(own.step());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(RowsMemoryForward);

void RowsMemoryBackward(benchmark::State& state) {
  Memory own;
  const Numbers raw(Memory::kPlane, "delta", -2, 2), after(Memory::kPlane, "after", -1, 1);
  rows<float>().memory_forward(own.step());
  rows<float>().memory_backward(own.step(), own.gradients());
  const auto by_memory = [&](std::int64_t i) {
    return static_cast<double>(own.keep[i % kMemory]) * (after[i] + own.recalled[i]) +
           own.emitted[i];
  };
  const auto by_mlp = [&](std::int64_t i) {
    const double tanh = squashed(raw[i]) / 1.7159;
    return by_memory(i) * own.gain[i % kMemory] * 1.7159 * 2 / 3 * (1 - tanh * tanh);
  };
  if (!same(state, own.after, by_memory) || !same(state, own.delta, by_mlp)) return;
  for (auto _ : state) {
    rows<float>().memory_backward(own.step(), own.gradients());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(RowsMemoryBackward);

}  // namespace
}  // namespace afterspike::kernels
