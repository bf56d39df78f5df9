#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "afterspike/experiment/experiment.hpp"
#include "afterspike/io/json.hpp"
#include "afterspike/transfer/respond.hpp"

/// How faithful a spiking network is to the rate network that it was made from.
namespace afterspike::transfer {

struct Report {
  std::int64_t samples = 0;
  double rate_accuracy = 0;     ///< Accuracy of the rate network as it was trained.
  double hard_accuracy = 0;     ///< Accuracy of the rate network with S = (V > V_th), in float64.
  double spiking_accuracy = 0;  ///< Accuracy of the spiking network.
  double agreement = 0;         ///< Part of the samples that rate and spiking network decide alike.
  double hard_agreement = 0;    ///< The same of the rate network with a hard threshold.
  double correlation = 0;       ///< Pearson correlation of all outputs of rate and spiking network.
  /// Error of each neuron: root mean square over samples of the difference of mean rates. A rate is
  /// between 0 and 1.
  std::vector<double> rate_errors;
  /// Steps, from 1, at which spikes first differ from those of the rate network with a hard
  /// threshold; of the samples in which they do.
  std::vector<std::int64_t> first_differences;
  std::int64_t approximated = 0;  ///< Parameters that a conversion changed.
  double sigma_mV = 0;            ///< Softness of the rate network's threshold.
  /// Part of the samples that the rate network decides alike with its own and a hard threshold.
  double threshold_agreement = 1;

  /// "faithful: ...": what the numbers come to, in words. Faithful is a network that decides all
  /// but 0.3 % of the samples as the rate network does, close one that does all but 1 %: two
  /// networks that err on different samples are not alike, however often each is right. For a
  /// network that is not faithful, the reason and the remedy follow.
  std::string verdict() const;
  /// Why a network is not faithful, and what to do.
  std::string reason() const;
  io::Json json() const;
};

/// Shows the same samples to both. The spiking network must have been lowered from this run, or
/// converted from one that was. Throws Error(config) where it does not fit.
Report compare(const experiment::Trained& trained, const spiking::Network& spiking,
               const tasks::Dataset& dataset, const spiking::Options& options, ThreadPool& pool);

/// The spikes of the rate network with S = (V > V_th) in float64, [samples, steps, neurons] of
/// bool: none after a sample's end.
at::Tensor hard_spikes(const experiment::Trained& trained, const tasks::Dataset& dataset,
                       ThreadPool& pool);

}  // namespace afterspike::transfer
