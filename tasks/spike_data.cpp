#include "spike_data.hpp"

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
data::Batch empty_batch(std::int64_t steps, std::size_t samples, std::int64_t channels) {
  const auto size = static_cast<std::int64_t>(samples);
  data::Batch batch;
  batch.input = at::zeros({steps, size, channels}, at::kFloat);
  batch.target = at::empty({size}, at::kLong);
  return batch;
}

}  // namespace

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
  if (variation) return write_varied(spikes, *variation, rows, stride);
  for (std::size_t step = 0; step + 1 < spikes.first.size(); ++step) {
    float* row = rows + static_cast<std::int64_t>(step) * stride;
    for (std::size_t i = spikes.first[step]; i < spikes.first[step + 1]; ++i) {
      add(row[channel_[spikes.units[i]]]);
    }
  }
}

void SpikeWriter::write_varied(const datasets::BinnedRecording& recording, Rng rng, float* rows,
                               std::int64_t stride) const {
  const SpikeVariation& by = variation_;
  const auto range = static_cast<std::uint64_t>(2 * by.jitter_channels + 1);
  const std::int64_t shift = static_cast<std::int64_t>(rng.below(range)) - by.jitter_channels;
  const double factor = 1 + by.stretch * rng.uniform(-1, 1);
  const double delay = by.jitter_time_ms / set_->bins.bin_ms * rng.uniform(-1, 1);
  const bool moves = by.stretch > 0 || by.jitter_time_ms > 0;
  const std::int64_t units = set_->form.units;
  const std::int64_t steps = this->steps();
  for (std::int64_t step = 0; step < steps; ++step) {
    const auto index = static_cast<std::size_t>(step);
    for (std::size_t i = recording.first[index]; i < recording.first[index + 1]; ++i) {
      if (by.drop_spikes > 0 && rng.uniform() < by.drop_spikes) continue;
      const std::int64_t unit = recording.units[i] + shift;
      if (unit < 0 || unit >= units) continue;
      std::int64_t to = step;
      if (moves) {
        // A spike's time within its step is unknown; a random time keeps the steps evenly filled.
        const double place = (static_cast<double>(step) + rng.uniform()) * factor + delay;
        to = static_cast<std::int64_t>(std::floor(place));
        if (to < 0 || to >= steps) continue;
      }
      add(rows[to * stride + channel_[static_cast<std::size_t>(unit)]]);
    }
  }
}

SpikeRecordings::SpikeRecordings(SpikeWriter writer, std::optional<Rng> variation)
    : writer_(std::move(writer)), variation_(std::move(variation)) {}

data::Batch SpikeRecordings::batch(std::span<const std::int64_t> numbers) const {
  const std::int64_t channels = writer_.channels();
  data::Batch batch = empty_batch(writer_.steps(), numbers.size(), channels);
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

std::shared_ptr<const data::Dataset> SpikeRecordings::for_epoch(const Rng& epoch) const {
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

data::Batch SpikePairs::batch(std::span<const std::int64_t> numbers) const {
  const std::int64_t channels = writer_.channels();
  data::Batch batch = empty_batch(2 * writer_.steps(), numbers.size(), channels);
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

std::shared_ptr<const data::Dataset> SpikePairs::for_epoch(const Rng& epoch) const {
  std::optional<Rng> variation;
  if (writer_.varies()) variation = epoch.stream("variation");
  return std::make_shared<SpikePairs>(writer_, recordings_, size(), epoch.stream("pairs"),
                                      std::move(variation));
}

}  // namespace afterspike::tasks
