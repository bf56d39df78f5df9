#pragma once

#include <filesystem>
#include <span>
#include <string_view>

#include <c10/core/Device.h>

#include "arguments.hpp"

/// What commands share: where data is, how many threads, interruption.
namespace afterspike::cli {

/// --data-dir, else the environment variable AFTERSPIKE_DATA, else datasets/data.
Arguments& add_data_directory(Arguments& arguments);
std::filesystem::path data_directory(const Arguments& arguments);
/// The one without that flag.
std::filesystem::path usual_data_directory();

/// --threads; by default as many as the processor has cores, or this one's share of them where
/// several `processes` run on the machine and nobody has shared out the cores.
Arguments& add_threads(Arguments& arguments);
int threads(const Arguments& arguments, int processes = 1);

/// The same for a command that has a flag --threads, and chooses instructions by itself.
int threads_alone(const Arguments& arguments, int processes = 1);

/// --device: where networks are, the CPU by default. Throws Error(config) when LibTorch finds no
/// such device.
Arguments& add_device(Arguments& arguments);
at::Device device(const Arguments& arguments);

/// From now on SIGINT and SIGTERM are remembered; the second of them ends the program at once.
void catch_interruptions();

/// The signal that came, or 0.
int interruption() noexcept;

}  // namespace afterspike::cli
