#pragma once

#include <vector>

#include "afterspike/base/parallel.hpp"
#include "afterspike/distributed/ranks.hpp"
#include "afterspike/nn/network.hpp"
#include "afterspike/tasks/task.hpp"

/// What several ranks do together, in parts that are put together in the order of one process.
namespace afterspike::train {

/// Sums over all ranks.
struct Total {
  tasks::Tally tally;
  int wish = 0;  ///< The first that is not 0.
};

/// Adds to `begin` of rank 0 the sums of the tallies of all ranks, in their order, and finds
/// whether any rank has a wish.
Total add_in_order(distributed::Ranks& ranks, const tasks::Tally& begin,
                   const std::vector<tasks::Tally>& tallies, int wish = 0);

/// evaluation::evaluate() by all ranks: the same bits, for each of them.
tasks::Tally evaluate_together(distributed::Ranks& ranks, const nn::Network& network,
                               const tasks::Task& task, const data::Dataset& dataset,
                               const nn::NetworkPass& pass, ThreadPool& pool);

/// Gives all ranks the parameters that rank 0 has.
void share_parameters(distributed::Ranks& ranks, const nn::Network& network);

/// Throws Error(config) naming a rank whose parameters are not those of rank 0, to the last bit.
void require_same_parameters(distributed::Ranks& ranks, const nn::Network& network,
                             std::int64_t epoch);

}  // namespace afterspike::train
