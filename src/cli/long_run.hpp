#pragma once

#include "afterspike/spiking/simulation.hpp"
#include "afterspike/spiking/spike_file.hpp"

namespace afterspike::cli {

/// Throws Error(config) if a simulation of a valid network needs more memory than this machine has
/// free, or than the limit of its control group leaves.
void require_memory(const spiking::Network& network, const spiking::Options& options);

/// Runs until `until_ms` in slices of about 100 ms, after each of which spikes are passed to
/// `writer` (null: dropped). Logs model time, real-time factor and time left every few seconds.
/// `step_ms` is the step of the grid. Returns the time taken in s.
double run_reporting(spiking::Simulation& simulation, double until_ms, double step_ms,
                     spiking::SpikeWriter* writer);

}  // namespace afterspike::cli
