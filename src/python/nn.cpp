#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <pybind11/stl.h>

#include "afterspike/base/blas.hpp"
#include "afterspike/base/error.hpp"
#include "afterspike/base/options.hpp"
#include "afterspike/base/registry.hpp"
#include "afterspike/base/rng.hpp"
#include "afterspike/nn/layer_stack.hpp"
#include "bindings.hpp"

namespace afterspike::python {
namespace {

using nn::LayerStack;
using nn::NamedTensors;

std::shared_ptr<LayerStack> make_stack(
    const std::string& neuron, std::int64_t input_size, std::int64_t hidden_size,
    std::int64_t num_layers, double dt_ms, bool batch_first,
    const std::vector<std::pair<std::string, std::string>>& options) {
  return std::make_shared<LayerStack>(
      nn::StackOptions{neuron, input_size, hidden_size, num_layers, dt_ms, batch_first, options});
}

/// The settings of a pass, in the order of run().
nn::StackPass make_pass(std::int64_t first, std::vector<at::Tensor> masks,
                        std::optional<std::uint64_t> seed, std::optional<double> sigma_mV,
                        bool spikes, bool composed, int threads) {
  nn::StackPass pass;
  pass.first = first;
  pass.masks = std::move(masks);
  pass.dropout_seed = seed;
  pass.sigma_mV = sigma_mV;
  pass.spikes = spikes;
  pass.engine = composed ? nn::Engine::composed : nn::Engine::automatic;
  pass.threads = threads;
  return pass;
}

std::pair<at::Tensor, LayerStack::States> run(LayerStack& stack, const at::Tensor& input,
                                              const std::optional<LayerStack::States>& states,
                                              const NamedTensors& tensors, std::int64_t first,
                                              const std::vector<at::Tensor>& masks,
                                              std::optional<std::uint64_t> seed,
                                              std::optional<double> sigma_mV, bool spikes,
                                              bool composed, int threads) {
  LayerStack::Result result = stack.run(
      input, states, make_pass(first, masks, seed, sigma_mV, spikes, composed, threads), tensors);
  return {std::move(result.output), std::move(result.states)};
}

py::list parameters(const LayerStack& stack) {
  std::vector<LayerStack::Parameter> found;
  {
    // A pass in another thread, for which this one waits, may need the interpreter.
    const py::gil_scoped_release released;
    found = stack.parameters();
  }
  py::list all;
  for (const LayerStack::Parameter& own : found) {
    py::dict row;
    row["name"] = own.name;
    row["tensor"] = own.tensor;
    row["symbol"] = own.spec->symbol;
    row["unit"] = own.spec->unit;
    row["transform"] = own.spec->transform.text();
    row["group"] = std::string(nn::group_name(own.spec->group));
    row["trainable"] = own.spec->trainable;
    all.append(row);
  }
  return all;
}

/// The options of a neuron model: (name, type, default, help).
std::vector<std::tuple<std::string, std::string, std::string, std::string>> options_of(
    const std::string& neuron) {
  const auto model = find_entry<nn::NeuronEntry>(nn::entries(), neuron, "neuron model").make();
  options::Description description;
  model->describe(options::Section(description, ""));
  std::vector<std::tuple<std::string, std::string, std::string, std::string>> all;
  for (const options::Field& field : description.fields()) {
    all.emplace_back(field.path(), field.type(), options::text(field.value()), field.help());
  }
  return all;
}

std::vector<std::string> remarks(const LayerStack& stack) {
  std::vector<std::string> all;
  for (const auto& layer : stack.layers()) all.push_back(layer->remark());
  return all;
}

}  // namespace

void bind_nn(py::module_& module) {
  py::class_<LayerStack, std::shared_ptr<LayerStack>>(module, "Stack")
      .def(py::init(&make_stack), Released())
      .def(
          "initialize",
          [](LayerStack& stack, std::uint64_t seed) {
            stack.initialize(Rng(seed).stream("initial"));
          },
          Released())
      .def("parameters", &parameters)
      .def("physical", &LayerStack::physical, Released())
      .def("set_physical", &LayerStack::set_physical, Released())
      .def("initial_state", &LayerStack::initial_state, Released())
      .def("run", &run, Released())
      .def("remarks", &remarks, Released());
  module.def("options_of", &options_of, Released());
  module.def("check_threads", &require_threaded_blas, Released());
}

}  // namespace afterspike::python
