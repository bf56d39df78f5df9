// Kernels on several threads at once, each with its own shards: the thread sanitizer sees what they
// share, and results must depend neither on the calling thread nor on what runs beside it.

#include <omp.h>

#include <thread>

#include <gtest/gtest.h>

#include "afterspike/kernels/gemm.hpp"
#include "elm_network_example.hpp"
#include "glifr_example.hpp"
#include "rnn_example.hpp"

namespace afterspike::kernels {
namespace {

template <typename Example>
void expect_same_on_threads(const std::vector<Example>& shards) {
  std::vector<Outcome> alone, together(shards.size());
  for (const Example& shard : shards) alone.push_back(run<float>(shard));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int again = 0; again < 3; ++again) together[i] = run<float>(shards[i]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < shards.size(); ++i) {
    EXPECT_EQ(together[i].emitted, alone[i].emitted) << "shard " << i;
    EXPECT_EQ(together[i].gradients, alone[i].gradients) << "shard " << i;
  }
}

/// Runs a shard on a new thread whose own OpenMP regions would use `threads` threads.
template <typename T, typename Example>
Outcome run_with_openmp(int threads, const Example& shard) {
  Outcome outcome;
  std::thread([&] {
    omp_set_num_threads(threads);
    outcome = run<T>(shard);
    EXPECT_EQ(omp_get_max_threads(), threads) << "the caller's limit is restored";
  }).join();
  return outcome;
}

/// The same bits from any thread, whatever OpenMP may do there: a library's user prepares nothing.
template <typename T, typename Example>
void expect_same_with_openmp(const Example& shard) {
  const Outcome expected = run_with_openmp<T>(1, shard);
  for (const int threads : {2, 3, 8}) {
    const Outcome found = run_with_openmp<T>(threads, shard);
    EXPECT_EQ(found.emitted, expected.emitted) << threads << " OpenMP threads";
    EXPECT_EQ(found.gradients, expected.gradients) << threads << " OpenMP threads";
  }
}

TEST(Threads, GiveTheSameBitsWhateverTheirOpenMpLimit) {
  const GlifrExample glifr = glifr_example(
      {.steps = 40, .rows = 5, .inputs = 2, .neurons = 21, .currents = 2, .delay = 3});
  const ElmExample elm =
      elm_example({.steps = 40, .rows = 5, .inputs = 20, .memory = 17, .width = 30, .layers = 2});
  expect_same_with_openmp<float>(glifr);
  expect_same_with_openmp<double>(glifr);
  expect_same_with_openmp<float>(elm);
  expect_same_with_openmp<double>(elm);
  for (const RnnCell cell : {RnnCell::vanilla, RnnCell::gru, RnnCell::lstm}) {
    const RnnExample example =
        rnn_example({.cell = cell, .steps = 40, .rows = 5, .inputs = 20, .units = 33});
    expect_same_with_openmp<float>(example);
    expect_same_with_openmp<double>(example);
  }
}

/// Three shards of different sizes.
TEST(Threads, DoNotDisturbKernelsOfGlifrNeurons) {
  std::vector<GlifrExample> shards;
  for (const std::int64_t rows : {5, 4, 1}) {
    shards.push_back(glifr_example(
        {.steps = 40, .rows = rows, .inputs = 2, .neurons = 21, .currents = 2, .delay = 3}));
    add_masks(shards.back());
  }
  expect_same_on_threads(shards);
}

TEST(Threads, DoNotDisturbKernelsOfElmNeurons) {
  std::vector<ElmExample> shards;
  for (const std::int64_t rows : {5, 4, 1}) {
    shards.push_back(elm_example(
        {.steps = 40, .rows = rows, .inputs = 20, .memory = 17, .width = 30, .layers = 2}));
    add_masks(shards.back());
  }
  make_sparse(shards[1].values.at("input"));
  expect_same_on_threads(shards);
}

TEST(Threads, DoNotDisturbKernelsOfElmNetworks) {
  std::vector<ElmNetworkExample> shards;
  for (const std::int64_t rows : {5, 4, 1}) {
    shards.push_back(elm_network_example({.steps = 20,
                                          .rows = rows,
                                          .inputs = 20,
                                          .neurons = 9,
                                          .memory = 3,
                                          .width = 6,
                                          .layers = 1,
                                          .branches = 4,
                                          .synapses = 12}));
    add_masks(shards.back());
  }
  expect_same_on_threads(shards);
}

}  // namespace
}  // namespace afterspike::kernels
