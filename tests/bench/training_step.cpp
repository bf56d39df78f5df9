// How long a training step of a GLIFR layer takes, forward and backward, and how much memory:
//
//   kernel    the whole-sequence kernel, shards of the batch on two threads
//   composed  operations of LibTorch: shards of 64 rows on two threads, and the whole batch at once
//             with one or two of LibTorch's own threads; the fastest counts
//   products  the matrix products that no exact gradient can do without, by the same shards
//   lstm, rnn LibTorch's own layers of the same width, shards of 32 on two threads
//
// All are measured in turns, so that a busy machine slows all alike; medians. Memory is what a
// process of its own takes beyond what it held before its first step.
//
//   training_step [REPEATS [ROW]]     ROW counts from 0

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
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
  return values.empty() ? std::nan("") : values[values.size() / 2];
}

/// Calls work(part of the input) for shards of so many rows.
void for_shards(const at::Tensor& input, std::int64_t rows, ThreadPool& pool,
                const std::function<void(const at::Tensor&)>& work) {
  const std::int64_t batch = input.size(1);
  pool.run((batch + rows - 1) / rows, [&](std::int64_t index) {
    work(input.narrow(1, index * rows, std::min(rows, batch - index * rows)).contiguous());
  });
}

/// A layer with its readout, and the gradients of a loss of the last step.
class Glifr {
 public:
  explicit Glifr(const Row& row) {
    nn::NetworkOptions options;
    options.hidden = row.hidden;
    network_ = std::make_shared<nn::Network>(
        *testing::make_model("glifr", {{"delay", std::to_string(row.delay) + "steps"}}), options,
        nn::NetworkShape{row.inputs, 10, 0.05});
    network_->initialize(Rng(1));
    for (const auto& parameter : network_->named()) parameters_.push_back(parameter.tensor);
  }

  void step(const at::Tensor& input, nn::Engine engine) const {
    nn::NetworkPass pass;
    pass.engine = engine;
    pass.first = input.size(0) - 1;
    torch::autograd::grad({network_->forward(input, pass).square().sum()}, parameters_);
  }

 private:
  std::shared_ptr<nn::Network> network_;
  std::vector<at::Tensor> parameters_;
};

/// LibTorch's own recurrent layers.
class Library {
 public:
  Library(const Row& row, std::int64_t gates) : hidden_(row.hidden), gates_(gates) {
    for (const auto& shape : std::vector<std::vector<std::int64_t>>{{gates * hidden_, row.inputs},
                                                                    {gates * hidden_, hidden_},
                                                                    {gates * hidden_},
                                                                    {gates * hidden_}}) {
      parameters_.push_back((at::rand(shape) - 0.5).mul_(0.1).requires_grad_(true));
    }
  }

  void step(const at::Tensor& input) const {
    const at::Tensor zeros = at::zeros({1, input.size(1), hidden_});
    const at::Tensor output =
        gates_ == 4
            ? std::get<0>(
                  at::lstm(input, {zeros, zeros}, parameters_, true, 1, 0, true, false, false))
            : std::get<0>(at::rnn_tanh(input, zeros, parameters_, true, 1, 0, true, false, false));
    torch::autograd::grad({output[output.size(0) - 1].square().sum()}, parameters_);
  }

 private:
  std::int64_t hidden_, gates_;
  std::vector<at::Tensor> parameters_;
};

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

double resident_mib() {
  std::ifstream file("/proc/self/statm");
  double total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

/// MiB that a step takes beyond what was there, in a process of its own.
double memory(const Row& row, nn::Engine engine, std::int64_t rows) {
  int ends[2];
  if (::pipe(ends) != 0) return 0;
  if (::fork() == 0) {
    at::set_num_threads(1);
    ThreadPool pool(2);
    const Glifr glifr(row);
    const at::Tensor input = at::randn({row.steps, row.batch, row.inputs});
    // What the libraries take once, whatever the size.
    glifr.step(input.narrow(0, 0, 2).narrow(1, 0, 2).contiguous(), engine);
    const double before = resident_mib();
    for (int i = 0; i < 2; ++i) {
      for_shards(input, rows, pool, [&](const at::Tensor& part) { glifr.step(part, engine); });
    }
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const double taken = static_cast<double>(usage.ru_maxrss) / 1024 - before;
    if (::write(ends[1], &taken, sizeof(taken)) < 0) ::_exit(1);
    ::_exit(0);
  }
  double taken = 0;
  if (::read(ends[0], &taken, sizeof(taken)) < 0) taken = std::nan("");
  ::wait(nullptr);
  ::close(ends[0]);
  ::close(ends[1]);
  return taken;
}

void measure(const Row& row, int repeats) {
  const std::int64_t rows = evaluation::shard_rows(row.batch);
  const double kernel_mib = memory(row, nn::Engine::automatic, rows);
  const double composed_mib = memory(row, nn::Engine::composed, 64);
  const double whole_mib = memory(row, nn::Engine::composed, row.batch);

  ThreadPool pool(2), alone(1);
  const Glifr glifr(row);
  const Library lstm(row, 4), rnn(row, 1);
  const at::Tensor input = at::randn({row.steps, row.batch, row.inputs});
  const auto whole = [&](int threads) {
    at::set_num_threads(threads);
    glifr.step(input, nn::Engine::composed);
    at::set_num_threads(1);
  };
  std::map<std::string, std::vector<double>> seconds;
  for (int i = 0; i <= repeats; ++i) {
    const auto time = [&](const char* name, const std::function<void()>& work) {
      const double taken = timed(work);
      if (i > 0) seconds[name].push_back(taken);  // The first one warms up.
    };
    time("kernel", [&] {
      for_shards(input, rows, pool,
                 [&](const at::Tensor& part) { glifr.step(part, nn::Engine::automatic); });
    });
    time("products", [&] { products(row, rows, pool); });
    if (row.delay == 1) {
      time("lstm",
           [&] { for_shards(input, 32, pool, [&](const auto& part) { lstm.step(part); }); });
      time("rnn", [&] { for_shards(input, 32, pool, [&](const auto& part) { rnn.step(part); }); });
    }
    if (i > 3) continue;  // Slow, and steady enough.
    time("composed, shards", [&] {
      for_shards(input, 64, pool,
                 [&](const at::Tensor& part) { glifr.step(part, nn::Engine::composed); });
    });
    time("composed, whole, 1 thread", [&] { whole(1); });
    time("composed, whole, 2 threads", [&] { whole(2); });
  }
  fmt::print("hidden {}, batch {}, steps {}, inputs {}, delay {}\n", row.hidden, row.batch,
             row.steps, row.inputs, row.delay);
  const double kernel = median(seconds.at("kernel"));
  for (const auto& [name, values] : seconds) {
    fmt::print("  {:27} {:8.4f} s  {:6.2f} of the kernel\n", name, median(values),
               median(values) / kernel);
  }
  fmt::print(
      "  kernel to products {:.2f}; memory: kernel {:.0f} MiB, composed {:.0f} MiB in shards, "
      "{:.0f} MiB whole\n",
      kernel / median(seconds.at("products")), kernel_mib, composed_mib, whole_mib);
}

}  // namespace

int main(int argc, char** argv) {
  const int repeats = argc > 1 ? std::atoi(argv[1]) : 7;
  const int only = argc > 2 ? std::atoi(argv[2]) : -1;
  ::setenv("OPENBLAS_NUM_THREADS", "1", 1);
  at::set_num_threads(1);
  prepare_blas(2);
  for (int row = 0; row < 4; ++row) {
    if (only < 0 || only == row) measure(kRows[row], repeats);
  }
}
