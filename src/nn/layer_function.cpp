#include "layer_function.hpp"

#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>

#include <omp.h>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "afterspike/base/error.hpp"
#include "afterspike/base/parallel.hpp"
#include "afterspike/base/rng.hpp"
#include "sequence_pass.hpp"

namespace afterspike::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Results of a shard, or of the whole batch: the emissions, then the state in the order of names.
using Results = std::vector<at::Tensor>;

/// The part of the batch that one thread computes, with the graph from its leaves to its results.
struct ShardGraph {
  at::Tensor input;
  Results results;
};

/// The dimension of the batch in a part of the state.
std::int64_t batch_dimension(const at::Tensor& part, const at::Tensor& reference) {
  for (std::int64_t d = 0; d < part.dim(); ++d) {
    if (part.size(d) != reference.size(d)) return d;
  }
  return 0;
}

/// The rows of a shard, as in training; the number of threads does not matter.
std::int64_t rows_of_shard(std::int64_t batch) {
  return std::clamp<std::int64_t>((batch + 1) / 2, 1, 32);
}

/// The generator of dropout for the shard that begins at this row.
at::Generator dropout_generator(std::uint64_t seed, std::int64_t begin) {
  return at::detail::createCPUGenerator(
      Rng(seed).stream("shard", static_cast<std::uint64_t>(begin)).next());
}

/// Runs rows [begin, begin + count) of the input.
Results run_rows(const LayerJob& job, const at::Tensor& input, std::int64_t begin,
                 std::int64_t count, Engine engine) {
  LayerPass pass = job.pass;
  NamedTensors state;
  pass.final_state = &state;
  pass.execution.engine = engine;
  if (pass.mask.defined() && pass.mask.dim() == 2) pass.mask = pass.mask.narrow(0, begin, count);
  if (job.dropout_seed) pass.dropout = dropout_generator(*job.dropout_seed, begin);
  Results results = {job.layer->emissions(input, pass)};
  require(state.size() == job.state->names.size(), ErrorKind::internal,
          "a layer returned {} parts of its state, expected {}", state.size(),
          job.state->names.size());
  for (const auto& [name, part] : state) results.push_back(part);
  return results;
}

/// The shards of a pass, and the way back through them.
struct Held : torch::CustomClassHolder {
  explicit Held(LayerJob own) : job(std::move(own)) {}

  std::int64_t dimension(std::size_t result) const {
    return result == 0 ? 1 : job.state->batch_dimensions[result - 1];
  }

  /// Runs the shards; `tensors`: the input and the parameters. `graph`: a way back is wanted.
  void compute(const std::vector<at::Tensor>& tensors, bool by_input, Engine engine,
               bool graph = true) {
    const std::lock_guard lock(*job.mutex);
    const ParametersExchanged exchanged(*job.layer, {tensors.begin() + 1, tensors.end()});
    const at::Tensor input = tensors[0].detach();
    const std::int64_t batch = input.size(1), rows = rows_of_shard(batch);
    shards.assign(static_cast<std::size_t>((batch + rows - 1) / rows), {});
    run_in_threads(std::ssize(shards), job.threads, [&](std::int64_t i) {
      const at::AutoGradMode with_graph(graph);
      const std::int64_t begin = i * rows, count = std::min(rows, batch - begin);
      ShardGraph& shard = shards[static_cast<std::size_t>(i)];
      shard.input = input.narrow(1, begin, count).contiguous().detach();
      shard.input.requires_grad_(by_input);
      shard.results = run_rows(job, shard.input, begin, count, engine);
    });
  }

  Results joined() const {
    Results all;
    for (std::size_t k = 0; k <= job.state->names.size(); ++k) {
      std::vector<at::Tensor> parts;
      for (const ShardGraph& shard : shards) parts.push_back(shard.results[k].detach());
      all.push_back(parts.size() == 1 ? parts[0] : at::cat(parts, dimension(k)));
    }
    return all;
  }

  variable_list backward(const variable_list& saved, const variable_list& outer, bool by_input) {
    const bool by_state = std::any_of(outer.begin() + 1, outer.end(),
                                      [](const at::Tensor& own) { return own.defined(); });
    const std::vector<at::Tensor> parameters(saved.begin() + 1, saved.end());
    if (shards.empty() || by_state) {
      // Another way back through the same graph, or one that the kernel does not know.
      compute(saved, by_input, by_state ? Engine::composed : job.pass.execution.engine);
    }
    std::vector<variable_list> parts(shards.size());
    run_in_threads(std::ssize(shards), job.threads, [&](std::int64_t i) {
      const auto index = static_cast<std::size_t>(i);
      parts[index] = shard_gradients(shards[index], i, parameters, outer);
    });
    shards.clear();
    return sum_of(parts, saved.size());
  }

  /// Gradients by the input and each parameter; undefined if none is wanted, or it is 0.
  variable_list shard_gradients(const ShardGraph& shard, std::int64_t index,
                                const std::vector<at::Tensor>& parameters,
                                const variable_list& outer) const {
    const std::int64_t begin = index * shards.front().input.size(1);
    variable_list results, given, leaves;
    for (std::size_t k = 0; k < outer.size(); ++k) {
      const at::Tensor& result = shard.results[k];
      if (!outer[k].defined() || !result.requires_grad()) continue;
      results.push_back(result);
      given.push_back(outer[k].narrow(dimension(k), begin, result.size(dimension(k))).contiguous());
    }
    std::vector<std::size_t> places;
    const auto add = [&](const at::Tensor& leaf, std::size_t place) {
      if (!leaf.requires_grad()) return;
      leaves.push_back(leaf);
      places.push_back(place);
    };
    add(shard.input, 0);
    for (std::size_t i = 0; i < parameters.size(); ++i) add(parameters[i], i + 1);
    variable_list all(parameters.size() + 1);
    if (results.empty() || leaves.empty()) return all;
    const variable_list found =
        torch::autograd::grad(results, leaves, given, /*retain_graph=*/false,
                              /*create_graph=*/false, /*allow_unused=*/true);
    for (std::size_t i = 0; i < places.size(); ++i) all[places[i]] = found[i];
    return all;
  }

  /// Adds the parts in the order of the shards, and joins those of the input.
  static variable_list sum_of(const std::vector<variable_list>& parts, std::size_t count) {
    const at::NoGradGuard no_grad;
    variable_list all(count);
    for (std::size_t place = 0; place < count; ++place) {
      std::vector<at::Tensor> own;
      for (const variable_list& part : parts) {
        if (part[place].defined()) own.push_back(part[place]);
      }
      if (own.empty()) continue;
      if (place == 0) {
        all[0] = own.size() == 1 ? own[0] : at::cat(own, 1);
        continue;
      }
      all[place] = own[0];
      for (std::size_t i = 1; i < own.size(); ++i) all[place] = all[place] + own[i];
    }
    return all;
  }

  LayerJob job;
  std::vector<ShardGraph> shards;
};

class LayerFunction : public torch::autograd::Function<LayerFunction> {
 public:
  static variable_list forward(AutogradContext* context, at::TensorList tensors,
                               const LayerJob& job) {
    auto held = c10::make_intrusive<Held>(job);
    held->compute(tensors.vec(), tensors[0].requires_grad(), job.pass.execution.engine);
    context->save_for_backward(tensors.vec());
    context->set_materialize_grads(false);
    variable_list results = held->joined();
    context->saved_data["held"] = c10::IValue::make_capsule(std::move(held));
    return results;
  }

  static variable_list backward(AutogradContext* context, variable_list outer) {
    require(!at::GradMode::is_enabled(), ErrorKind::config,
            "a neuron layer has no gradients of gradients by its kernel. Call backward() without "
            "create_graph, or the layer with Engine::composed (Python: engine=\"composed\").");
    const variable_list saved = context->get_saved_variables();
    const auto held =
        c10::dynamic_intrusive_pointer_cast<Held>(context->saved_data.at("held").toCapsule());
    const bool by_input = context->needs_input_grad(0);
    variable_list gradients = held->backward(saved, outer, by_input);
    gradients.emplace_back();  // The job has none.
    return gradients;
  }
};

/// Returns an error if a state does not have the parts that `like` has.
void require_state(const NamedTensors& state, const NamedTensors& like) {
  for (const auto& [name, expected] : like) {
    const auto found = state.find(name);
    require(found != state.end() && found->second.defined(), ErrorKind::config,
            "state: '{}' is missing. Pass a state as the layer returns it.", name);
    const at::Tensor& part = found->second;
    require(part.sizes() == expected.sizes(), ErrorKind::config,
            "state '{}': found the shape [{}], expected [{}]", name,
            fmt::join(part.sizes().begin(), part.sizes().end(), ", "),
            fmt::join(expected.sizes().begin(), expected.sizes().end(), ", "));
    require(part.scalar_type() == expected.scalar_type() && part.device() == expected.device(),
            ErrorKind::config, "state '{}': it is {} on {}, the parameters are {} on {}", name,
            c10::toString(part.scalar_type()), part.device().str(),
            c10::toString(expected.scalar_type()), expected.device().str());
  }
}

/// Runs the whole batch by operations of LibTorch, which know their own way back.
std::pair<at::Tensor, NamedTensors> run_composed(const LayerJob& job, const at::Tensor& input,
                                                 const std::vector<at::Tensor>& parameters,
                                                 const std::optional<NamedTensors>& given) {
  const std::lock_guard lock(*job.mutex);
  const ParametersExchanged exchanged(*job.layer, parameters);
  LayerPass pass = job.pass;
  if (job.dropout_seed) pass.dropout = dropout_generator(*job.dropout_seed, 0);
  NamedTensors state = job.layer->initial_state(input.size(1));
  if (given) {
    require_state(*given, state);
    state = *given;
  }
  const at::Tensor all = job.layer->forward(input, state, pass);
  return {all.narrow(0, pass.first, all.size(0) - pass.first), std::move(state)};
}

/// Threads of this process for shards.
struct SharedPool {
  std::mutex mutex;
  std::unique_ptr<ThreadPool> pool;
  pid_t process = 0;

  /// REQUIRES: the mutex is held.
  ThreadPool& of(int threads) {
    if (process != ::getpid()) {
      pool.release();  // NOLINT(bugprone-unused-return-value): a fork has none of its threads.
      process = ::getpid();
    }
    if (pool == nullptr || pool->threads() != threads) pool = std::make_unique<ThreadPool>(threads);
    return *pool;
  }
};

SharedPool& shared_pool() {
  static auto* const own = new SharedPool;  // Lives to the end: threads may still be at work.
  return *own;
}

}  // namespace

StateLayout::StateLayout(const NeuronLayer& layer) {
  const NamedTensors one = layer.initial_state(1), two = layer.initial_state(2);
  for (const auto& [name, part] : one) {
    names.push_back(name);
    batch_dimensions.push_back(batch_dimension(part, two.at(name)));
  }
}

ParametersExchanged::ParametersExchanged(NeuronLayer& layer, const std::vector<at::Tensor>& tensors)
    : layer_(layer) {
  std::size_t place = 0;
  for (const ParameterSpec& spec : layer.specs()) tensors_[spec.name] = tensors.at(place++);
  layer_.swap_parameters(tensors_);
}

ParametersExchanged::~ParametersExchanged() {
  layer_.swap_parameters(tensors_);
}

std::pair<at::Tensor, NamedTensors> run_layer(const LayerJob& job, const at::Tensor& input,
                                              const std::vector<at::Tensor>& parameters,
                                              const std::optional<NamedTensors>& given) {
  if (given || job.pass.execution.engine == Engine::composed || !has_kernel(input)) {
    return run_composed(job, input, parameters, given);
  }
  std::vector<at::Tensor> tensors = {input};
  tensors.insert(tensors.end(), parameters.begin(), parameters.end());
  const bool differentiable =
      at::GradMode::is_enabled() &&
      std::any_of(tensors.begin(), tensors.end(),
                  [](const at::Tensor& tensor) { return tensor.requires_grad(); });
  variable_list results;
  if (differentiable) {
    results = LayerFunction::apply(at::TensorList(tensors), job);
  } else {
    Held held(job);
    held.compute(tensors, /*by_input=*/false, job.pass.execution.engine, /*graph=*/false);
    results = held.joined();
  }
  NamedTensors state;
  for (std::size_t i = 0; i < job.state->names.size(); ++i) {
    state[job.state->names[i]] = results[i + 1];
  }
  return {results[0], std::move(state)};
}

namespace {

/// Restores the calling thread's number of threads of OpenMP.
class OneThreadOfOpenMP {
 public:
  OneThreadOfOpenMP() noexcept { omp_set_num_threads(1); }
  ~OneThreadOfOpenMP() { omp_set_num_threads(before_); }
  OneThreadOfOpenMP(const OneThreadOfOpenMP&) = delete;
  OneThreadOfOpenMP& operator=(const OneThreadOfOpenMP&) = delete;

 private:
  const int before_ = omp_get_max_threads();
};

}  // namespace

void run_in_threads(std::int64_t count, int threads,
                    const std::function<void(std::int64_t)>& task) {
  SharedPool& shared = shared_pool();
  // Whoever finds the threads at work computes alone rather than wait.
  const std::unique_lock lock(shared.mutex, std::try_to_lock);
  if (threads <= 1 || count <= 1 || !lock.owns_lock()) {
    for (std::int64_t i = 0; i < count; ++i) task(i);
    return;
  }
  shared.of(threads).run(count, [&](std::int64_t i) {
    const OneThreadOfOpenMP scope;
    task(i);
  });
}

}  // namespace afterspike::nn
