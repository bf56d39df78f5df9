#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "afterspike/base/units.hpp"

/// How long a training step takes and how much memory, on synthetic data: forward, cross entropy of
/// the last step, backward, optimiser (Adam), by the functions that training calls.
namespace afterspike::bench {

/// By what a layer computes a sequence.
enum class Path {
  fused,     ///< A whole-sequence kernel.
  composed,  ///< Operations of LibTorch, one by one.
  library    ///< LibTorch's own layer, which there is of rnn, gru and lstm.
};

/// All paths, by the names that users know them by.
inline constexpr std::pair<std::string_view, Path> kPaths[] = {
    {"fused", Path::fused}, {"composed", Path::composed}, {"library", Path::library}};
std::string_view name_of(Path path);

/// What is measured.
struct Settings {
  std::string neuron = "glifr";  ///< A name of nn::entries().
  /// Units of the one layer. For elm the memory units of one neuron, whose MLP is twice as wide.
  std::int64_t hidden = 128;
  std::int64_t batch = 128, steps = 784, input = 1, classes = 10;
  std::optional<units::Duration> delay;  ///< Of recurrent synapses; nothing: the model's default.
  Path path = Path::fused;
  bool bfloat16 = false;  ///< Products with recurrent weights, by kernels only.
  /// Inputs are 1 with this probability, else 0. Nothing: 0.012 for elm; for others inputs are
  /// normally distributed.
  std::optional<double> input_density;
  /// The same with what nothing stands for; nothing: normally distributed.
  std::optional<double> density() const {
    return input_density || neuron != "elm" ? input_density : 0.012;
  }
  int threads = 1;
  int repeats = 5;  ///< Steps that are timed, after `warmup` others.
  int warmup = 1;
};

/// What a step took.
struct Measurement {
  double step_s_min = 0, step_s_median = 0;
  /// What passes and loss, and the way back, took of the quickest step: sums over the shards,
  /// divided by the threads that had one to work on.
  double forward_s = 0, backward_s = 0;
  double cpu_s_min = 0;  ///< Processor time of all threads.
  /// Memory of the process before the first step, after one of two steps of two sequences had the
  /// libraries take what they take once; and the most during the steps.
  double base_rss_mib = 0, peak_rss_mib = 0;
  std::int64_t parameters = 0;  ///< Numbers that are trained.
  /// The matrix products of the step alone, in turns with the steps; the quickest. Those of the
  /// kernel, by as many rows as in training and in its order, whatever the path. Not counted: the
  /// readout, and what one input a step (Settings::input) takes, which is no matrix product.
  double gemm_s = 0;
  std::int64_t rows = 0;    ///< Of a shard.
  int library_threads = 1;  ///< Within operations of LibTorch; more than 1: the batch is one shard.
};

/// Holds the path against composed operations, and these against the kernel, on a small shape, and
/// times it only if losses and gradients agree.
///
/// Kernels work on shards as training cuts them. For what LibTorch computes, several ways are
/// measured: those shards, a shard for each thread, and the whole batch with as many threads within
/// operations. The result has all of them for which there was memory, at least one, the quickest
/// first.
///
/// Each way is measured in a process of its own, so that memory is that of this path alone.
/// REQUIRES: no other thread of this process is at work.
///
/// Throws Error(config) or Error(usage) for settings that do not fit, Error(internal) naming what
/// differs where the paths disagree.
std::vector<Measurement> measure(const Settings& settings);

}  // namespace afterspike::bench
