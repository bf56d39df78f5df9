#pragma once

#include <vector>

#include "afterspike/base/parallel.hpp"
#include "afterspike/nn/network.hpp"
#include "afterspike/tasks/task.hpp"
#include "afterspike/train/ranks.hpp"

/// Computations of several ranks, combined in the order of one process.
namespace afterspike::train {

/// Sums over all ranks.
struct Total {
  tasks::Tally tally;
  int stop = 0;  ///< First value that is not 0.
};

/// Adds the tallies of all ranks, in their order, to `begin` of rank 0, and finds the first request
/// of any rank to stop.
Total add_in_order(train::Ranks& ranks, const tasks::Tally& begin,
                   const std::vector<tasks::Tally>& tallies, int stop = 0);

/// experiment::evaluate() by all ranks: each gets the same bits.
tasks::Tally evaluate_collectively(train::Ranks& ranks, const nn::Network& network,
                                   const tasks::Task& task, const tasks::Dataset& dataset,
                                   const nn::NetworkPass& pass, ThreadPool& pool);

/// Sends the parameters of rank 0 to all ranks.
void share_parameters(train::Ranks& ranks, const nn::Network& network);

/// Throws Error(config) naming a rank whose parameters differ from those of rank 0 in any bit.
void require_same_parameters(train::Ranks& ranks, const nn::Network& network, std::int64_t epoch);

}  // namespace afterspike::train
