#pragma once

#include <functional>

#include "afterspike/distributed/ranks.hpp"
#include "afterspike/train/run.hpp"
#include "arguments.hpp"

namespace afterspike::cli {

/// --master-address, --master-port, --join-timeout, --rank-timeout.
Arguments& add_ranks(Arguments& arguments);

/// In what processes that train together must agree: code, arithmetic, flags and, of a new run, its
/// options (null for one that goes on). For distributed::require_same().
io::Json facts(const Arguments& arguments, train::RunOptions* options);

/// Calls `work` with the processes that a launcher started, as the environment says, or with this
/// one alone. An error of one of several stops all, and names its rank; those other than rank 0
/// write nothing but errors.
int work_together(const Arguments& arguments,
                  const std::function<int(distributed::Ranks& ranks)>& work);

}  // namespace afterspike::cli
