#pragma once

#include <filesystem>
#include <span>
#include <string_view>

#include <c10/core/Device.h>

#include "arguments.hpp"

/// Common flags of commands: data, threads, devices, interruption.
namespace afterspike::cli {

/// Adds --data-dir; default: usual_data_directory().
Arguments& add_data_directory(Arguments& arguments);
std::filesystem::path data_directory(const Arguments& arguments);
/// Returns the default data directory.
std::filesystem::path usual_data_directory();

/// Adds --threads; default: the cores of the processor, or this process's share of them if several
/// `processes` run on the machine and no launcher has bound them.
Arguments& add_threads(Arguments& arguments);
int threads(const Arguments& arguments, int processes = 1);

/// As threads(), for a command with its own flag --threads, which chooses instructions itself.
int threads_alone(const Arguments& arguments, int processes = 1);

/// Adds --device, the device of networks; default: the CPU. Throws Error(config) if LibTorch finds
/// no such device.
Arguments& add_device(Arguments& arguments);
at::Device device(const Arguments& arguments);

/// Makes SIGINT, SIGTERM, SIGHUP (unless ignored), SIGUSR1 and SIGXCPU set a flag; the second
/// SIGINT or SIGTERM ends the program at once. Ignores SIGPIPE.
void catch_interruptions();

/// Returns the received signal, or 0.
int interruption() noexcept;

}  // namespace afterspike::cli
