#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "afterspike/nn/neuron_layer.hpp"

/// One layer over a sequence as a node of the graph, in shards of the batch.
namespace afterspike::nn {

/// Names of the parts of a layer's state, in the order of NamedTensors, and where the batch is.
struct StateLayout {
  explicit StateLayout(const NeuronLayer& layer);

  std::vector<std::string> names;
  std::vector<std::int64_t> batch_dimensions;
};

/// A pass through a layer.
struct LayerJob {
  std::shared_ptr<NeuronLayer> layer;
  std::shared_ptr<const StateLayout> state;
  std::shared_ptr<std::mutex> mutex;  ///< Held while parameters are exchanged.
  LayerPass pass;                     ///< Without dropout, trace, penalty and final_state.
  std::optional<std::uint64_t> dropout_seed;
  int threads = 1;
};

/// Puts other tensors in the place of a layer's parameters for as long as it lives.
class ParametersExchanged {
 public:
  /// `tensors` in the order of the layer's specs.
  ParametersExchanged(NeuronLayer& layer, const std::vector<at::Tensor>& tensors);
  ~ParametersExchanged();
  ParametersExchanged(const ParametersExchanged&) = delete;
  ParametersExchanged& operator=(const ParametersExchanged&) = delete;

 private:
  NeuronLayer& layer_;
  NamedTensors tensors_;
};

/// Runs the job with these parameters, in the order of the layer's specs, from `state` or from
/// rest. Returns the emissions from step job.pass.first on, and the state, differentiable in all of
/// them. From rest, emissions go back through the kernel if there is one for the input, and the
/// state through composed operations. Throws Error(config) for a state that does not fit.
/// REQUIRES: the mutex is free.
std::pair<at::Tensor, NamedTensors> run_layer(const LayerJob& job, const at::Tensor& input,
                                              const std::vector<at::Tensor>& parameters,
                                              const std::optional<NamedTensors>& state);

/// Calls task(0) ... task(count - 1) from up to `threads` threads, none of which uses threads
/// within LibTorch's operations, and survives a fork.
void run_in_threads(std::int64_t count, int threads, const std::function<void(std::int64_t)>& task);

}  // namespace afterspike::nn
