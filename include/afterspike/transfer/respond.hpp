#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "afterspike/base/parallel.hpp"
#include "afterspike/spiking/network.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "afterspike/tasks/dataset.hpp"

namespace afterspike::transfer {

/// Responses of a spiking network to samples.
struct Responses {
  at::Tensor outputs;  ///< [samples, outputs], float64: the readout at each sample's end.
  at::Tensor rates;    ///< [samples, neurons], float64: spikes of a neuron of the population that
                       ///< is read out (the mean of its copies) in a step, the mean over steps.
  spiking::Statistics counted;   ///< Counts of all samples together.
  std::int64_t steps = 0;        ///< Steps of all samples together.
  std::int64_t read_steps = 0;   ///< Steps in the readout's window alone.
  std::int64_t read_spikes = 0;  ///< Spikes that the readout counts, each copy's.
};

/// Response to one sample, for observers. Called from several threads, once for each sample.
struct Answer {
  std::int64_t sample;                     ///< Its place in the data set.
  std::int64_t steps;                      ///< Its length.
  std::span<const spiking::Spike> spikes;  ///< By time, population, neuron.
};

/// The step of the rate network, from 1, in which a spike falls: one at t steps ends step t.
std::int64_t step_of(const spiking::Spike& spike, const spiking::Network& network);

using Watcher = std::function<void(const Answer&)>;

/// Shows each sample of a data set to the network, from rest: the features of a step are the values
/// of the network's analog source. Chance is drawn anew for each sample, by the seed of `options`
/// and the sample's place. Results do not depend on the number of threads; `options.threads` has no
/// meaning. Throws Error(data) unless the network has one analog source, of as many channels as the
/// samples have features, and a readout.
Responses respond(const spiking::Network& network, const tasks::Dataset& dataset,
                  const spiking::Options& options, ThreadPool& pool, const Watcher& watch = {});

/// An estimate of the energy that a digital circuit in 45 nm takes for the arithmetic of synapses
/// and readout alone (Horowitz 2014, "Computing's energy problem"), pJ.
struct Energy {
  /// An addition for each arrival of a spike at a neuron, each copy counted, and for each output of
  /// a spike that is read; a multiplication and an addition for each arrival of a source's value.
  double spiking_pJ = 0;
  /// A multiplication and an addition for each synapse and step, and for each of the readout's
  /// weights and step that is read.
  double rate_pJ = 0;
};
inline constexpr double kAddition_pJ = 0.9, kMultiplication_pJ = 3.7;  ///< float32.

/// Returns the energy of these responses, and of a rate network of the same synapses.
Energy energy(const spiking::Network& network, const Responses& responses);

}  // namespace afterspike::transfer
