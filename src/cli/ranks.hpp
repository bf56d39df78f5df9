#pragma once

#include <functional>

#include "afterspike/train/ranks.hpp"
#include "afterspike/train/run.hpp"
#include "arguments.hpp"

namespace afterspike::cli {

/// Adds --master-address, --master-port, --join-timeout, --rank-timeout.
Arguments& add_ranks(Arguments& arguments);

/// Returns the facts in which processes that train together must agree: code, arithmetic, flags
/// and, for a new run, its options (null for a resumed one). For train::require_same().
io::Json facts(const Arguments& arguments, train::RunOptions* options);

/// Calls `work` with the processes of a launcher, according to the environment, or with this one
/// alone. An error of one of several stops all, and names its rank; ranks other than 0 write
/// nothing but errors.
int work_together(const Arguments& arguments, const std::function<int(train::Ranks& ranks)>& work);

}  // namespace afterspike::cli
