#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "afterspike/base/rng.hpp"
#include "afterspike/datasets/spikes.hpp"
#include "afterspike/tasks/dataset.hpp"

/// Recordings of spikes as samples. Batches are made on request; memory holds the spikes.
namespace afterspike::tasks {

/// Conversion of the spikes of a step to input.
struct SpikeInput {
  bool counts = true;           ///< Count of spikes; else 1 if there is any.
  std::int64_t channels = 700;  ///< Number of features; neighbouring units are summed.
};

/// Random changes that keep the class of a recording. Equations: docs/numerics.md, "Augmentation of
/// spikes". Uniform and drawn once per recording, except for single spikes.
struct SpikeVariation {
  std::int64_t jitter_channels = 0;  ///< Max shift of all spikes in units.
  double jitter_time_ms = 0;         ///< Max shift of all spikes in time.
  double stretch = 0;       ///< Multiplies all times by a factor from 1 - stretch to 1 + stretch.
  double drop_spikes = 0;   ///< Probability of deleting each spike.
  double jitter_units = 0;  ///< Standard deviation of the shift of single spikes, units.
  double mask_time_ms = 0;  ///< Max duration of a masked time.
  std::int64_t mask_channels = 0;  ///< Max number of neighbouring units that are masked.
  double mask_probability = 0.5;   ///< Probability of either mask.
  std::int64_t noise_spikes = 0;   ///< Max number of spikes added at random places.
  double blend = 0;  ///< Probability that half of the spikes are those of another recording.

  bool any() const {
    return jitter_channels > 0 || jitter_time_ms > 0 || stretch > 0 || drop_spikes > 0 ||
           jitter_units > 0 || mask_time_ms > 0 || mask_channels > 0 || noise_spikes > 0 ||
           blend > 0;
  }
};

/// Recordings by class, to blend a recording with another of its class.
class SpikePartners {
 public:
  SpikePartners() = default;
  SpikePartners(const datasets::SpikeSet& set, const std::vector<std::int64_t>& recordings);

  /// Draws a recording of that class; -1 if there is none.
  std::int64_t draw(std::int64_t label, Rng& rng) const;

 private:
  std::vector<std::vector<std::int64_t>> of_class_;
};

/// Writes recordings into the tensors of batches.
class SpikeWriter {
 public:
  /// REQUIRES: channels divide the set's units.
  SpikeWriter(std::shared_ptr<const datasets::SpikeSet> set, const SpikeInput& input,
              const SpikeVariation& variation);

  const datasets::SpikeSet& set() const { return *set_; }
  std::int64_t steps() const { return set_->bins.steps(); }
  std::int64_t channels() const { return input_.channels; }
  bool varies() const { return variation_.any(); }

  /// Names the recordings that others may be blended with: those of the training part.
  void set_partners(const std::vector<std::int64_t>& recordings) {
    if (variation_.blend > 0) {
      partners_ = std::make_shared<const SpikePartners>(*set_, recordings);
    }
  }

  /// Adds a recording to zeros: the features of step k are at rows + k * stride. With a stream it
  /// is varied.
  void write(std::int64_t recording, const std::optional<Rng>& variation, float* rows,
             std::int64_t stride) const;

 private:
  /// Adds a varied recording, each of its spikes with probability `kept`.
  void write_varied(const datasets::BinnedRecording& recording, const Rng& rng, double kept,
                    float* rows, std::int64_t stride) const;
  void write_noise(Rng rng, float* rows, std::int64_t stride) const;
  void add(float& feature) const { feature = input_.counts ? feature + 1 : 1; }

  std::shared_ptr<const datasets::SpikeSet> set_;
  SpikeInput input_;
  SpikeVariation variation_;
  std::vector<std::int64_t> channel_;  ///< Channel of each unit.
  std::shared_ptr<const SpikePartners> partners_;
};

/// Recordings as samples, with their labels as classes.
class SpikeRecordings final : public tasks::Dataset {
 public:
  explicit SpikeRecordings(SpikeWriter writer, std::optional<Rng> variation = {});
  std::int64_t size() const override { return std::ssize(writer_.set().recordings); }
  tasks::Batch batch(std::span<const std::int64_t> numbers) const override;
  /// Returns recordings varied by that epoch's stream, if the writer varies.
  std::shared_ptr<const tasks::Dataset> for_epoch(const Rng& epoch) const override;

 private:
  SpikeWriter writer_;
  std::optional<Rng> variation_;
};

/// Pairs of digits, one after the other without a gap; the class is the sum of the two digits, each
/// a label modulo 10. Both are drawn uniformly and with replacement from some of the recordings.
class SpikePairs final : public tasks::Dataset {
 public:
  SpikePairs(SpikeWriter writer, std::vector<std::int64_t> recordings, std::int64_t pairs,
             const Rng& draws, std::optional<Rng> variation = {});
  std::int64_t size() const override { return std::ssize(pairs_); }
  tasks::Batch batch(std::span<const std::int64_t> numbers) const override;
  /// Returns new pairs, varied if the writer varies.
  std::shared_ptr<const tasks::Dataset> for_epoch(const Rng& epoch) const override;

 private:
  SpikeWriter writer_;
  std::vector<std::int64_t> recordings_;
  std::vector<std::array<std::int64_t, 2>> pairs_;
  std::optional<Rng> variation_;
};

}  // namespace afterspike::tasks
