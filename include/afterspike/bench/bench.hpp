#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "afterspike/base/units.hpp"
#include "afterspike/nn/neuron_layer.hpp"

/// Time and memory of a training step on synthetic data: forward, cross entropy of the last step,
/// backward, optimiser (Adam), by the functions that training calls.
namespace afterspike::bench {

/// How a layer computes a sequence.
enum class Path {
  fused,     ///< By a whole-sequence kernel.
  composed,  ///< By operations of LibTorch, one by one.
  library    ///< By LibTorch's own layer, which exists for rnn, gru and lstm.
};

/// All paths, by their user-visible names.
inline constexpr std::pair<std::string_view, Path> kPaths[] = {
    {"fused", Path::fused}, {"composed", Path::composed}, {"library", Path::library}};
std::string_view name_of(Path path);

/// Settings of a benchmark.
struct Settings {
  std::string neuron = "glifr";  ///< A name of nn::entries().
  /// Units of the one layer. For elm the memory units of one neuron, with an MLP twice as wide.
  std::int64_t hidden = 128;
  std::int64_t batch = 128, steps = 784, input = 1, classes = 10;
  std::optional<units::Duration> delay;  ///< Delay of recurrent synapses; nullopt: the model's
                                         ///< default.
  Path path = Path::fused;
  nn::Precision precision = nn::Precision::float32;  ///< Recurrent products; kernels only.
  /// Inputs are 1 with this probability, else 0. nullopt: 0.012 for elm; normally distributed
  /// inputs for others.
  std::optional<double> input_density;
  /// Returns the density with the default filled in; nullopt: normally distributed.
  std::optional<double> density() const {
    return input_density || neuron != "elm" ? input_density : 0.012;
  }
  int threads = 1;
  int repeats = 5;  ///< Timed steps, after `warmup` others.
  int warmup = 1;
};

/// Cost of a step.
struct Measurement {
  double step_s_min = 0, step_s_median = 0;
  /// Forward (with loss) and backward time of the fastest step: sums over the shards, divided by
  /// the threads that had a shard.
  double forward_s = 0, backward_s = 0;
  double cpu_s_min = 0;  ///< Processor time of all threads.
  /// Memory of the process before the first step (after one of two steps of two sequences, so that
  /// the libraries have allocated their buffers), and its peak during the steps.
  double base_rss_mib = 0, peak_rss_mib = 0;
  std::int64_t parameters = 0;  ///< Number of trained values.
  /// Fastest time of the matrix products alone, interleaved with full steps. They are the kernel's
  /// products, with the rows of training and in the kernel's order, for every path. The readout,
  /// and the cost of one input per step (Settings::input), which is no matrix product, are not
  /// counted.
  double gemm_s = 0;
  std::int64_t rows = 0;    ///< Rows of a shard.
  int library_threads = 1;  ///< Threads within operations of LibTorch; if more than 1, the batch is
                            ///< one shard.
};

/// Checks the path against composed operations, and these against the kernel, on a small shape, and
/// times it only if losses and gradients agree.
///
/// Kernels work on shards as training cuts them. LibTorch is measured in several ways: those
/// shards, one shard per thread, and the whole batch with several threads within operations. The
/// result has every way for which there was memory, at least one, the fastest first.
///
/// Each way runs in its own process, so that memory is that of this path alone. REQUIRES: no other
/// thread of this process is at work.
///
/// Throws Error(config) or Error(usage) for settings that do not fit, Error(internal) naming the
/// difference if the paths disagree.
std::vector<Measurement> measure(const Settings& settings);

}  // namespace afterspike::bench
