#include "spike_data.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include <ATen/ATen.h>

namespace afterspike::tasks {
namespace {

/// Returns the stream that varies a part of a sample.
std::optional<Rng> variation_of(const std::optional<Rng>& epoch, std::int64_t sample,
                                std::uint64_t part) {
  if (!epoch) return std::nullopt;
  return epoch->stream("sample", static_cast<std::uint64_t>(sample)).stream("part", part);
}

/// Returns a batch without spikes.
tasks::Batch empty_batch(std::int64_t steps, std::size_t samples, std::int64_t channels) {
  const auto size = static_cast<std::int64_t>(samples);
  tasks::Batch batch;
  batch.input = at::zeros({steps, size, channels}, at::kFloat);
  batch.target = at::empty({size}, at::kLong);
  return batch;
}

/// A masked block, from `begin` up to `end`; empty if they are equal.
struct Block {
  std::int64_t begin = 0, end = 0;

  bool contains(std::int64_t place) const { return place >= begin && place < end; }

  /// With that probability a block of 0 to `longest` of the places 0 .. size - 1 (SpecAugment).
  static Block draw(double probability, std::int64_t longest, std::int64_t size, Rng rng) {
    if (longest <= 0 || rng.uniform() >= probability) return {};
    longest = std::min(longest, size);
    const auto length =
        static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(longest + 1)));
    const auto begin =
        static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(size - length + 1)));
    return {begin, begin + length};
  }
};

/// The changes of one recording, and the streams of its spikes.
class SpikeChange {
 public:
  SpikeChange(const SpikeVariation& by, const datasets::SpikeSet& set, double kept, const Rng& rng)
      : by_(by),
        steps_(set.bins.steps()),
        units_(set.form.units),
        kept_(kept),
        rng_(rng),
        unit_rng_(rng.stream("units")),
        kept_rng_(rng.stream("kept")) {
    const auto range = static_cast<std::uint64_t>(2 * by.jitter_channels + 1);
    shift_ = static_cast<std::int64_t>(rng_.below(range)) - by.jitter_channels;
    factor_ = 1 + by.stretch * rng_.uniform(-1, 1);
    delay_ = by.jitter_time_ms / set.bins.bin_ms * rng_.uniform(-1, 1);
    const auto longest = static_cast<std::int64_t>(std::llround(by.mask_time_ms / set.bins.bin_ms));
    masked_steps_ = Block::draw(by.mask_probability, longest, steps_, rng.stream("mask_time"));
    masked_units_ =
        Block::draw(by.mask_probability, by.mask_channels, units_, rng.stream("mask_channels"));
  }

  /// Moves a spike; false if it is lost.
  bool move(std::int64_t& step, std::int64_t& unit) {
    if (by_.drop_spikes > 0 && rng_.uniform() < by_.drop_spikes) return false;
    if (kept_ < 1 && kept_rng_.uniform() >= kept_) return false;
    unit += shift_;
    if (by_.jitter_units > 0) unit += std::llround(by_.jitter_units * unit_rng_.normal());
    if (unit < 0 || unit >= units_) return false;
    if (by_.stretch > 0 || by_.jitter_time_ms > 0) {
      // The place of a spike within its step is not known; a random one fills steps evenly.
      const double place = (static_cast<double>(step) + rng_.uniform()) * factor_ + delay_;
      step = static_cast<std::int64_t>(std::floor(place));
    }
    return step >= 0 && step < steps_ && !masked_steps_.contains(step) &&
           !masked_units_.contains(unit);
  }

 private:
  const SpikeVariation& by_;
  std::int64_t steps_, units_;
  double kept_;
  Rng rng_, unit_rng_, kept_rng_;
  std::int64_t shift_ = 0;
  double factor_ = 1, delay_ = 0;
  Block masked_steps_, masked_units_;
};

}  // namespace

SpikePartners::SpikePartners(const datasets::SpikeSet& set,
                             const std::vector<std::int64_t>& recordings)
    : of_class_(static_cast<std::size_t>(set.form.classes)) {
  for (const std::int64_t number : recordings) {
    const std::int64_t label = set.recordings[static_cast<std::size_t>(number)].label;
    of_class_[static_cast<std::size_t>(label)].push_back(number);
  }
}

std::int64_t SpikePartners::draw(std::int64_t label, Rng& rng) const {
  const auto& same = of_class_[static_cast<std::size_t>(label)];
  return same.empty() ? -1 : same[rng.below(same.size())];
}

SpikeWriter::SpikeWriter(std::shared_ptr<const datasets::SpikeSet> set, const SpikeInput& input,
                         const SpikeVariation& variation)
    : set_(std::move(set)), input_(input), variation_(variation) {
  assert(set_->form.units % input.channels == 0);
  const std::int64_t pooled = set_->form.units / input.channels;
  for (std::int64_t unit = 0; unit < set_->form.units; ++unit) channel_.push_back(unit / pooled);
}

void SpikeWriter::write(std::int64_t recording, const std::optional<Rng>& variation, float* rows,
                        std::int64_t stride) const {
  const auto& spikes = set_->recordings[static_cast<std::size_t>(recording)];
  if (variation) {
    Rng blend = variation->stream("blend");
    const std::int64_t partner = partners_ != nullptr && blend.uniform() < variation_.blend
                                     ? partners_->draw(spikes.label, blend)
                                     : -1;
    write_varied(spikes, *variation, partner < 0 ? 1 : 0.5, rows, stride);
    if (partner >= 0) {
      write_varied(set_->recordings[static_cast<std::size_t>(partner)],
                   variation->stream("partner"), 0.5, rows, stride);
    }
    return write_noise(variation->stream("noise"), rows, stride);
  }
  for (std::size_t step = 0; step + 1 < spikes.first.size(); ++step) {
    float* row = rows + static_cast<std::int64_t>(step) * stride;
    for (std::size_t i = spikes.first[step]; i < spikes.first[step + 1]; ++i) {
      add(row[channel_[spikes.units[i]]]);
    }
  }
}

void SpikeWriter::write_varied(const datasets::BinnedRecording& recording, const Rng& rng,
                               double kept, float* rows, std::int64_t stride) const {
  SpikeChange change(variation_, *set_, kept, rng);
  for (std::int64_t step = 0; step < steps(); ++step) {
    const auto index = static_cast<std::size_t>(step);
    for (std::size_t i = recording.first[index]; i < recording.first[index + 1]; ++i) {
      std::int64_t to = step, unit = recording.units[i];
      if (!change.move(to, unit)) continue;
      add(rows[to * stride + channel_[static_cast<std::size_t>(unit)]]);
    }
  }
}

void SpikeWriter::write_noise(Rng rng, float* rows, std::int64_t stride) const {
  if (variation_.noise_spikes <= 0) return;
  const auto below = [&rng](std::int64_t bound) {
    return static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(bound)));
  };
  for (std::int64_t left = below(variation_.noise_spikes + 1); left > 0; --left) {
    const std::int64_t step = below(steps());
    add(rows[step * stride + channel_[static_cast<std::size_t>(below(set_->form.units))]]);
  }
}

SpikeRecordings::SpikeRecordings(SpikeWriter writer, std::optional<Rng> variation)
    : writer_(std::move(writer)), variation_(std::move(variation)) {}

tasks::Batch SpikeRecordings::batch(std::span<const std::int64_t> numbers) const {
  const std::int64_t channels = writer_.channels();
  tasks::Batch batch = empty_batch(writer_.steps(), numbers.size(), channels);
  const std::int64_t stride = std::ssize(numbers) * channels;
  auto* input = batch.input.data_ptr<float>();
  auto* target = batch.target.data_ptr<std::int64_t>();
  for (const std::int64_t number : numbers) {
    writer_.write(number, variation_of(variation_, number, 0), input, stride);
    *target++ = writer_.set().recordings[static_cast<std::size_t>(number)].label;
    input += channels;
  }
  return batch;
}

std::shared_ptr<const tasks::Dataset> SpikeRecordings::for_epoch(const Rng& epoch) const {
  if (!writer_.varies()) return shared_from_this();
  return std::make_shared<SpikeRecordings>(writer_, epoch.stream("variation"));
}

SpikePairs::SpikePairs(SpikeWriter writer, std::vector<std::int64_t> recordings, std::int64_t pairs,
                       const Rng& draws, std::optional<Rng> variation)
    : writer_(std::move(writer)),
      recordings_(std::move(recordings)),
      variation_(std::move(variation)) {
  assert(!recordings_.empty());
  Rng rng = draws;
  const auto draw = [&] { return recordings_[rng.below(recordings_.size())]; };
  for (std::int64_t pair = 0; pair < pairs; ++pair) {
    const std::int64_t first = draw();
    pairs_.push_back({first, draw()});
  }
}

tasks::Batch SpikePairs::batch(std::span<const std::int64_t> numbers) const {
  const std::int64_t channels = writer_.channels();
  tasks::Batch batch = empty_batch(2 * writer_.steps(), numbers.size(), channels);
  const std::int64_t stride = std::ssize(numbers) * channels;
  auto* input = batch.input.data_ptr<float>();
  auto* target = batch.target.data_ptr<std::int64_t>();
  for (const std::int64_t number : numbers) {
    const auto& pair = pairs_[static_cast<std::size_t>(number)];
    *target = 0;
    for (std::size_t digit = 0; digit < 2; ++digit) {
      float* rows = input + static_cast<std::int64_t>(digit) * writer_.steps() * stride;
      writer_.write(pair[digit], variation_of(variation_, number, digit), rows, stride);
      const auto recording = static_cast<std::size_t>(pair[digit]);
      *target += writer_.set().recordings[recording].label % 10;
    }
    ++target;
    input += channels;
  }
  return batch;
}

std::shared_ptr<const tasks::Dataset> SpikePairs::for_epoch(const Rng& epoch) const {
  std::optional<Rng> variation;
  if (writer_.varies()) variation = epoch.stream("variation");
  return std::make_shared<SpikePairs>(writer_, recordings_, size(), epoch.stream("pairs"),
                                      std::move(variation));
}

}  // namespace afterspike::tasks
