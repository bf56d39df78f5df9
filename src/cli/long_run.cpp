#include "long_run.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "afterspike/base/error.hpp"
#include "afterspike/base/log.hpp"
#include "afterspike/io/size_limit.hpp"
#include "afterspike/spiking/memory.hpp"

namespace afterspike::cli {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

void require_memory(const spiking::Network& network, const spiking::Options& options) {
  constexpr double kGibibyte = 1 << 30;
  const auto needed = static_cast<double>(spiking::memory_needed(network, options));
  const double available = io::available_bytes(/*with_swap=*/false);
  require(needed <= available, ErrorKind::config,
          "memory: the simulation needs {:.2f} GiB, and {:.2f} GiB are free. Simulate fewer neurons"
          " or synapses, or free memory.",
          needed / kGibibyte, available / kGibibyte);
}

double run_reporting(spiking::Simulation& simulation, double until_ms, double step_ms,
                     spiking::SpikeWriter* writer) {
  constexpr double kSlice_ms = 100, kQuiet_s = 5;
  const double slice_ms = std::max(1.0, std::round(kSlice_ms / step_ms)) * step_ms;
  const double first_ms = simulation.now_ms();
  const auto start = Clock::now();
  double reported_s = 0, reported_ms = first_ms;
  for (double slice = 1; simulation.now_ms() < until_ms; ++slice) {
    simulation.run_until(std::min(until_ms, first_ms + slice * slice_ms));
    if (writer != nullptr) writer->append(simulation.spikes());
    simulation.clear_spikes();
    const double taken_s = seconds_since(start), now_ms = simulation.now_ms();
    if (taken_s - reported_s < kQuiet_s || now_ms >= until_ms) continue;
    const double factor = (taken_s - reported_s) / (now_ms - reported_ms) * 1e3;
    log::info("{:.0f} of {:.0f} ms, real-time factor {:.2f}, {:.0f} s left", now_ms, until_ms,
              factor, factor * (until_ms - now_ms) * 1e-3);
    reported_s = taken_s;
    reported_ms = now_ms;
  }
  return seconds_since(start);
}

}  // namespace afterspike::cli
