#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "afterspike/datasets/spikes.hpp"
#include "spike_data.hpp"
#include "task_options.hpp"

/// Common parts of the tasks on spiking recordings.
namespace afterspike::tasks {

/// Conversion of recordings to sequences.
struct SpikeTaskOptions {
  datasets::SpikeBins bins;
  double dt_ms = 0;  ///< 0: the bin.
  SpikeInput input;
  SpikeVariation variation;
  ReadSteps read;
  Objective::Over over = Objective::Over::mean_output;

  void describe(options::Section section);
  double step_ms() const { return dt_ms > 0 ? dt_ms : bins.bin_ms; }
  Objective objective() const { return {Objective::Kind::classify, read, over}; }

  /// Reads a file of a data set; adds to `remarks` if many of its spikes are unused. Throws
  /// Error(data), also if all are unused; Error(config) if the channels do not divide the units or
  /// a bin is longer than the used part of a recording.
  SpikeWriter read_file(const TaskContext& context, std::string_view dataset, std::string_view file,
                        const datasets::SpikeForm& form, std::vector<std::string>& remarks) const;
};

/// Describes the "duration" option: the used part of a recording.
void describe_duration(options::Section section, datasets::SpikeBins& bins);

/// Choice of the recordings of a training file for validation.
struct RecordingSplitOptions {
  enum class Kind { random, speakers, none };
  Kind kind = Kind::random;
  double fraction = 0.2;
  std::vector<double> speakers = {3, 9};
  std::int64_t split_seed = 1;

  void describe(options::Section section);

  /// Throws Error(data) if speakers are to be held out and the file does not name them;
  /// Error(config) for a speaker that it does not have, or if one of the parts is empty.
  tasks::NumberParts split(const datasets::SpikeSet& set) const;
};

}  // namespace afterspike::tasks
