#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "afterspike/datasets/neuronio.hpp"
#include "afterspike/tasks/dataset.hpp"

/// Windows of simulations of a cell.
namespace afterspike::tasks {

/// A part of a run: steps begin ... before begin + length, of which steps `asked` to before
/// `asked_end` of the run are scored. Steps beyond the end of the run have no spikes.
struct NeuronWindow {
  std::size_t run = 0;
  std::int64_t begin = 0, asked = 0, asked_end = 0;
};

/// Conversion of voltages to targets (code of Spieler et al. 2023): clipped, so that a spike is no
/// outlier, shifted and scaled to a standard deviation of about 1.
struct VoltageTarget {
  static constexpr float kMost_mV = -55, kRest_mV = -67.7F, kUnit_mV = 10;
  static float of(float voltage_mV) {
    return ((voltage_mV < kMost_mV ? voltage_mV : kMost_mV) - kRest_mV) / kUnit_mV;
  }
};

/// Windows as samples. Inputs are 1 (excitatory synapses) and -1 (inhibitory ones) in steps with
/// spikes, whatever their number; targets are whether the cell fires in the step, and its voltage.
class NeuronWindows : public tasks::Dataset {
 public:
  NeuronWindows(std::shared_ptr<const datasets::NeuronSimulations> simulations, std::int64_t length,
                std::vector<NeuronWindow> windows)
      : simulations_(std::move(simulations)), length_(length), windows_(std::move(windows)) {}

  std::int64_t size() const override { return std::ssize(windows_); }
  tasks::Batch batch(std::span<const std::int64_t> numbers) const override;
  const std::vector<NeuronWindow>& windows() const { return windows_; }

 protected:
  std::shared_ptr<const datasets::NeuronSimulations> simulations_;
  std::int64_t length_;

 private:
  std::vector<NeuronWindow> windows_;
};

/// Steps that a window excludes.
struct WindowRule {
  std::int64_t length = 500;
  std::int64_t burn_in = 0;  ///< At the start of a window.
  std::int64_t skip = 500;   ///< At the start of a run, before the cell's steady state.
};

/// Windows at random places of some of the runs, drawn anew in each epoch. They lie completely in
/// the run and begin at `skip` or later.
class RandomNeuronWindows final : public NeuronWindows {
 public:
  /// REQUIRES: skip + length <= steps of a run; at least one run.
  RandomNeuronWindows(std::shared_ptr<const datasets::NeuronSimulations> simulations,
                      std::vector<std::int64_t> runs, const WindowRule& rule, std::int64_t count,
                      const Rng& draws);
  std::shared_ptr<const tasks::Dataset> for_epoch(const Rng& epoch) const override;

 private:
  std::vector<std::int64_t> runs_;
  WindowRule rule_;
};

/// Returns consecutive windows that cover runs completely: each begins `length - burn_in` after the
/// previous one, so that every step from `skip` on counts once; the first of a run has no burn-in.
/// Windows without scored steps are omitted. REQUIRES: burn_in < length.
std::vector<NeuronWindow> covering_windows(const datasets::NeuronSimulations& simulations,
                                           const std::vector<std::int64_t>& runs,
                                           const WindowRule& rule);

}  // namespace afterspike::tasks
