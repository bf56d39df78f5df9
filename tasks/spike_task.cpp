#include "spike_task.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/base/registry.hpp"
#include "afterspike/datasets/datasets.hpp"

namespace afterspike::tasks {
namespace {

/// Returns the speakers of a set.
std::set<std::int64_t> speakers_of(const datasets::SpikeSet& set) {
  std::set<std::int64_t> speakers;
  for (const auto& recording : set.recordings) speakers.insert(recording.speaker);
  return speakers;
}

tasks::NumberParts split_by_speaker(const datasets::SpikeSet& set,
                                    const std::vector<double>& held_out) {
  require(set.has_speakers(), ErrorKind::data,
          "option 'task.validation': found 'speakers', but the training file does not say who "
          "speaks ('/extra/speaker' is missing); expected 'random' or 'none'");
  const std::set<std::int64_t> all = speakers_of(set);
  std::set<std::int64_t> held;
  for (const double speaker : held_out) {
    held.insert(static_cast<std::int64_t>(speaker));
    require(all.contains(static_cast<std::int64_t>(speaker)), ErrorKind::config,
            "option 'task.validation_speakers': found {}, expected some of {}", speaker,
            fmt::join(all, " "));
  }
  tasks::NumberParts parts;
  for (std::size_t row = 0; row < set.recordings.size(); ++row) {
    auto& part = held.contains(set.recordings[row].speaker) ? parts.part : parts.rest;
    part.push_back(static_cast<std::int64_t>(row));
  }
  require(!parts.part.empty() && !parts.rest.empty(), ErrorKind::config,
          "option 'task.validation_speakers': found {} of {} speakers, expected some, not all",
          held.size(), all.size());
  return parts;
}

tasks::NumberParts split_at_random(std::int64_t size, double fraction, std::int64_t seed) {
  const auto part = static_cast<std::int64_t>(std::llround(fraction * static_cast<double>(size)));
  require(
      part > 0 && part < size, ErrorKind::config,
      "option 'task.validation_fraction': found {}, {} of {} recordings; expected some, not all",
      fraction, part, size);
  const Rng rng(static_cast<std::uint64_t>(seed));
  return tasks::split_numbers(size, part, rng.stream("validation"));
}

/// Warns if few spikes are used: times may be in another unit, or the used part is shorter than
/// intended.
void check_times(const datasets::SpikeSet& set, const std::filesystem::path& path,
                 std::vector<std::string>& remarks) {
  constexpr double kMany = 0.1;
  require(set.spikes > 0, ErrorKind::data, "'{}': found no spikes, expected some", path.string());
  const double used_ms = static_cast<double>(set.bins.steps()) * set.bins.bin_ms;
  require(set.cut_off < set.spikes, ErrorKind::data,
          "'{}': found all {} spikes after the {} ms that are used, the last at {:.4g} s; expected "
          "some before, times in seconds",
          path.string(), set.spikes, used_ms, set.last_s);
  const double part = static_cast<double>(set.cut_off) / static_cast<double>(set.spikes);
  if (part < kMany) return;
  remarks.push_back(
      fmt::format("'{}': {:.1f} % of its {} spikes come after the {} ms that are used, the last "
                  "at {:.4g} s",
                  path.string(), 100 * part, set.spikes, used_ms, set.last_s));
}

void describe_variation(options::Section section, SpikeVariation& variation) {
  section
      .add("jitter_channels", variation.jitter_channels,
           "While training, shift each recording by up to so many units.")
      .at_least(0)
      .at_most(10'000);
  section
      .quantity("jitter_time", variation.jitter_time_ms, "ms",
                "While training, shift each recording in time by up to so much.")
      .at_least(0)
      .at_most(10'000);
  section
      .add("stretch", variation.stretch,
           "While training, multiply the times of each recording by 1 - this to 1 + this.")
      .at_least(0)
      .below(1);
  section
      .add("drop_spikes", variation.drop_spikes,
           "While training, leave each spike out with this probability.")
      .at_least(0)
      .below(1);
  section
      .add("jitter_units", variation.jitter_units,
           "While training, shift each spike by a normal number of units of this deviation.")
      .at_least(0)
      .at_most(10'000);
}

void describe_masks(options::Section section, SpikeVariation& variation) {
  section
      .quantity("mask_time", variation.mask_time_ms, "ms",
                "While training, delete the spikes of a time of up to so much.")
      .at_least(0)
      .at_most(10'000);
  section
      .add("mask_channels", variation.mask_channels,
           "While training, delete the spikes of up to so many neighbouring units.")
      .at_least(0)
      .at_most(10'000);
  section.add("mask_probability", variation.mask_probability, "Probability of either mask.")
      .at_least(0)
      .at_most(1);
  section
      .add("noise_spikes", variation.noise_spikes,
           "While training, add up to so many spikes at random places.")
      .at_least(0)
      .at_most(1e6);
  section
      .add("blend", variation.blend,
           "While training, mix a recording with another of its class with this probability.")
      .at_least(0)
      .at_most(1);
}

}  // namespace

void SpikeTaskOptions::describe(options::Section section) {
  section.quantity("bin", bins.bin_ms, "ms", "Spikes of so long a time make one step.")
      .at_least(0.1)
      .at_most(1000);
  section.quantity("dt", dt_ms, "ms", "What one step stands for in the neurons; 0 ms: the bin.")
      .at_least(0)
      .at_most(1e6);
  section.choice("input", input.counts, {{"counts", true}, {"boolean", false}},
                 "Number of spikes of a channel in a step, or 1 where there is any.");
  section
      .add("channels", input.channels,
           "Neighbouring units are added up to so many channels, a divisor of the units.")
      .at_least(1);
  describe_variation(section, variation);
  describe_masks(section, variation);
  describe_reading(section, read, over);
}

SpikeWriter SpikeTaskOptions::read_file(const TaskContext& context, std::string_view dataset,
                                        std::string_view file, const datasets::SpikeForm& form,
                                        std::vector<std::string>& remarks) const {
  require(form.units % input.channels == 0, ErrorKind::config,
          "option 'task.channels': found {}, expected a divisor of the {} units", input.channels,
          form.units);
  require(bins.bin_ms <= bins.duration_ms, ErrorKind::config,
          "option 'task.bin': found {} ms, expected at most task.duration, {} ms", bins.bin_ms,
          bins.duration_ms);
  const auto& entry = find_entry<datasets::DatasetEntry>(datasets::entries(), dataset, "data set");
  const auto path = datasets::find_file(entry, context.data_directory, file);
  auto set = std::make_shared<datasets::SpikeSet>(datasets::read_spikes(path, form, bins));
  check_times(*set, path, remarks);
  return {std::move(set), input, variation};
}

void describe_duration(options::Section section, datasets::SpikeBins& bins) {
  section
      .quantity("duration", bins.duration_ms, "ms",
                "So much of each recording is used; what is shorter ends in silence.")
      .at_least(1)
      .at_most(10'000);
}

void RecordingSplitOptions::describe(options::Section section) {
  section.choice(
      "validation", kind,
      {{"random", Kind::random}, {"speakers", Kind::speakers}, {"none", Kind::none}},
      "Training recordings taken for validation: a random part, those of some speakers, none.");
  section.add("validation_fraction", fraction, "How large a random part.").above(0).below(1);
  section.add("validation_speakers", speakers, "The speakers that are held out.")
      .check([](const options::Value& value) -> std::string {
        for (const double speaker : std::get<std::vector<double>>(value)) {
          if (!(speaker >= 0 && speaker < 1e6 && speaker == std::trunc(speaker))) {
            return "numbers of speakers, such as [3, 9]";
          }
        }
        return "";
      });
  section.add("split_seed", split_seed, "Seed of the choice of a random part.").at_least(0);
}

tasks::NumberParts RecordingSplitOptions::split(const datasets::SpikeSet& set) const {
  switch (kind) {
    case Kind::random:
      return split_at_random(std::ssize(set.recordings), fraction, split_seed);
    case Kind::speakers:
      return split_by_speaker(set, speakers);
    case Kind::none:
      break;
  }
  return tasks::split_numbers(std::ssize(set.recordings), 0, Rng(0));
}

}  // namespace afterspike::tasks
