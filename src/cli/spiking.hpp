#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <ATen/core/Tensor.h>

#include "afterspike/glifnet/network.hpp"
#include "afterspike/io/json.hpp"
#include "afterspike/parity/parity.hpp"
#include "afterspike/sim/simulation.hpp"
#include "afterspike/tasks/task.hpp"
#include "arguments.hpp"

/// What the commands of spiking networks share.
namespace afterspike::cli {

/// Of each neuron; more than any use, and few enough to count.
inline constexpr std::int64_t kMostCopies = 1'000'000;

/// A time above 0 that a flag gives, in ms; `fallback` where it is not given. Throws Error(usage)
/// that names the flag.
double positive_ms(const Arguments& arguments, const std::string& flag, double fallback = 0);

/// Declares --engine, --as and --seed.
Arguments& add_engine(Arguments& arguments);

/// What --engine and --seed say.
sim::Options simulation_options(const Arguments& arguments);

/// The network in the terms of --as; what that changes is logged.
glifnet::Network converted(const Arguments& arguments, glifnet::Network network);

/// Refuses, Error(config), a network that says that it was made from another checkpoint.
void require_of_run(const glifnet::Network& network, const experiment::Trained& trained);

/// The task called `name` with its default settings; or, where `name` is empty or that of the task
/// that the network was trained for, that task with the settings of the training. Throws
/// Error(usage) where neither is known.
std::unique_ptr<tasks::Task> task_of(const glifnet::Network& network, const std::string& name,
                                     const tasks::TaskContext& context);

/// The first `limit` samples of a split, all where it is 0. Throws Error(config) where there is no
/// such split or nothing is classified.
std::shared_ptr<const data::Dataset> first_samples(const tasks::Task& task, tasks::Split split,
                                                   std::int64_t limit);

/// The same for --split and --limit.
std::shared_ptr<const data::Dataset> samples_of(const tasks::Task& task,
                                                const Arguments& arguments);

/// Prints an object: as JSON, or a line for each member.
void print_result(const io::Json& result, bool json);

/// The same of a report; its verdict alone comes last, and no errors of single neurons without
/// JSON.
void print_report(const parity::Report& report, bool json);

}  // namespace afterspike::cli
