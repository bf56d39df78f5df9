// Kernels at work on several threads at once, each on shards of its own: the thread sanitizer sees
// what they share, and results must not depend on who ran beside.

#include <thread>

#include <gtest/gtest.h>

#include "afterspike/kernels/gemm.hpp"
#include "elm_network_example.hpp"
#include "glifr_example.hpp"

namespace afterspike::kernels {
namespace {

template <typename Example>
void expect_same_on_threads(const std::vector<Example>& shards) {
  std::vector<Outcome> alone, together(shards.size());
  for (const Example& shard : shards) alone.push_back(run<float>(shard));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    threads.emplace_back([&, i] {
      prepare_thread();
      for (int again = 0; again < 3; ++again) together[i] = run<float>(shards[i]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < shards.size(); ++i) {
    EXPECT_EQ(together[i].emitted, alone[i].emitted) << "shard " << i;
    EXPECT_EQ(together[i].gradients, alone[i].gradients) << "shard " << i;
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
