// How long a training step of a layer takes, forward and backward, by the whole-sequence kernels
// and by composed operations, beside the matrix products that it cannot do without. Interleaved, so
// that a busy machine slows all alike; medians. Run: build/release/tests/training_step [REPEATS
// [ROW]]

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include "afterspike/base/blas.hpp"
#include "afterspike/base/parallel.hpp"
#include "afterspike/evaluation/evaluate.hpp"
#include "afterspike/kernels/gemm.hpp"
#include "afterspike/nn/glifr.hpp"
#include "afterspike/nn/network.hpp"
#include "unit/nn/models.hpp"

namespace {

using namespace afterspike;

struct Row {
  std::int64_t hidden, batch, steps, inputs, delay;
};

constexpr Row kRows[] = {
    {252, 512, 784, 1, 300}, {128, 64, 784, 1, 1}, {256, 256, 784, 1, 1}, {252, 256, 28, 28, 20}};

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::shared_ptr<nn::Network> network_of(const Row& row, const std::string& neuron) {
  nn::NetworkOptions options;
  options.hidden = row.hidden;
  testing::Settings settings;
  if (neuron == "glifr") settings = {{"delay", std::to_string(row.delay) + "steps"}};
  auto network = std::make_shared<nn::Network>(*testing::make_model(neuron, settings), options,
                                               nn::NetworkShape{row.inputs, 10, 0.05});
  network->initialize(Rng(1));
  return network;
}

/// Loss of the last step and its gradients by all parameters, the batch cut into shards.
void train_step(const nn::Network& network, const at::Tensor& input, std::int64_t rows,
                nn::Engine engine, ThreadPool& pool) {
  const std::int64_t batch = input.size(1);
  std::vector<at::Tensor> parameters;
  for (const auto& parameter : network.named()) parameters.push_back(parameter.tensor);
  pool.run((batch + rows - 1) / rows, [&](std::int64_t index) {
    const at::Tensor part =
        input.narrow(1, index * rows, std::min(rows, batch - index * rows)).contiguous();
    nn::NetworkPass pass;
    pass.engine = engine;
    pass.first = input.size(0) - 1;
    const at::Tensor loss = network.forward(part, pass).square().sum();
    torch::autograd::grad({loss}, parameters);
  });
}

/// The products of a step by one layer: forward, gradient to the state, gradient of the weights.
void products(const Row& row, std::int64_t rows, ThreadPool& pool) {
  const std::int64_t h = row.hidden, chunk = std::max<std::int64_t>(1, 512 / rows);
  pool.run((row.batch + rows - 1) / rows, [&](std::int64_t) {
    kernels::prepare_thread();
    std::vector<float> a(static_cast<std::size_t>(chunk * rows * h), 0.5F), c = a;
    std::vector<float> w(static_cast<std::size_t>(h * h), 0.25F), g = w;
    using kernels::Take;
    for (std::int64_t t = 0; t < row.steps; ++t) {
      for (int pass = 0; pass < 2; ++pass) {
        kernels::gemm<float>(Take::plain, Take::plain, rows, h, h, {a.data(), h}, {w.data(), h},
                             0.0F, {c.data(), h});
      }
      if (t % chunk == 0) {
        kernels::gemm<float>(Take::transposed, Take::plain, h, h, chunk * rows, {a.data(), h},
                             {c.data(), h}, 1.0F, {g.data(), h});
      }
    }
  });
}

double timed(const std::function<void()>& work) {
  const double start = now_s();
  work();
  return now_s() - start;
}

}  // namespace

int main(int argc, char** argv) {
  at::set_num_threads(1);
  prepare_blas(2);
  const int repeats = argc > 1 ? std::atoi(argv[1]) : 5;
  const int only = argc > 2 ? std::atoi(argv[2]) : -1;
  ThreadPool pool(2), one(1);
  fmt::print(
      "hidden batch steps inputs delay | kernel s  composed s  products s | composed/kernel  "
      "kernel/products\n");
  int number = 0;
  for (const Row& row : kRows) {
    if (only >= 0 && only != number++) continue;
    const auto network = network_of(row, "glifr");
    const at::Tensor input = at::randn({row.steps, row.batch, row.inputs});
    const std::int64_t rows = evaluation::shard_rows(row.batch);
    const auto kernel = [&] { train_step(*network, input, rows, nn::Engine::automatic, pool); };
    const auto composed = [&] { train_step(*network, input, 64, nn::Engine::composed, pool); };
    kernel();
    std::vector<double> kernel_s, composed_s, products_s;
    for (int i = 0; i < repeats; ++i) {
      kernel_s.push_back(timed(kernel));
      if (i < 3 && repeats < 30) composed_s.push_back(timed(composed));
      products_s.push_back(timed([&] { products(row, rows, pool); }));
    }
    const double k = median(kernel_s), c = composed_s.empty() ? 0 : median(composed_s),
                 p = median(products_s);
    fmt::print("{:6} {:5} {:5} {:6} {:5} | {:8.4f}  {:10.4f}  {:10.4f} | {:15.2f}  {:15.2f}\n",
               row.hidden, row.batch, row.steps, row.inputs, row.delay, k, c, p, c / k, k / p);
  }
}
