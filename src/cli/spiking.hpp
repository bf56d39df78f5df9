#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <ATen/core/Tensor.h>

#include "afterspike/io/json.hpp"
#include "afterspike/spiking/network.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "afterspike/tasks/task.hpp"
#include "afterspike/transfer/parity.hpp"
#include "arguments.hpp"
#include "values.hpp"

/// Common parts of the commands for spiking networks.
namespace afterspike::cli {

/// Max copies of each neuron; more than any use, and few enough to count.
inline constexpr std::int64_t kMaxCopies = 1'000'000;

/// Returns the time of a flag in ms, above 0; `fallback` if it is not given. Throws Error(usage)
/// that names the flag.
double positive_ms(const Arguments& arguments, const std::string& flag, double fallback = 0);

/// Declares --engine, --as and --seed.
Arguments& add_engine(Arguments& arguments);

/// Returns the options of --engine and --seed.
spiking::Options simulation_options(const Arguments& arguments);

/// Returns the network converted by --as; logs the changes.
spiking::Network converted(const Arguments& arguments, spiking::Network network);

/// Throws Error(config) if the network records another checkpoint as its origin.
void require_of_run(const spiking::Network& network, const experiment::Trained& trained);

/// Returns the task called `name` with its default settings. If `name` is empty or the task of the
/// network's training, returns that task with the settings of the training. Throws Error(usage) if
/// neither is known.
std::unique_ptr<tasks::Task> task_of(const spiking::Network& network, const std::string& name,
                                     const tasks::TaskContext& context);

/// Returns the first `limit` samples of a split, all if it is 0. Throws Error(config) if there is
/// no such split or nothing is classified.
std::shared_ptr<const tasks::Dataset> first_samples(const tasks::Task& task, tasks::Split split,
                                                    std::int64_t limit);

/// Returns the samples of --split and --limit.
std::shared_ptr<const tasks::Dataset> samples_of(const tasks::Task& task,
                                                 const Arguments& arguments);

/// Prints a report; without JSON its verdict comes last, alone, and errors of single neurons are
/// omitted.
void print_report(const transfer::Report& report, bool json);

}  // namespace afterspike::cli
