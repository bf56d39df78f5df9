#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

/// Recordings of spikes in the layout of the Spiking Heidelberg Digits (Cramer, Stradmann,
/// Schemmel, Zenke 2020, https://zenkelab.org/resources), HDF5:
///
///   /spikes/times   [recordings], rows of variable length: seconds, floating point
///   /spikes/units   [recordings], rows of the same lengths: unit of each spike, integers
///   /labels         [recordings]: classes, integers
///   /extra/speaker  [recordings]: speakers, integers; may be missing
///
/// Spikes of a recording may have any order. Other contents of a file are ignored.
namespace afterspike::datasets {

/// Ranges of units and labels of a set.
struct SpikeForm {
  std::int64_t units = 700;   ///< Units are below this; at most 65,536.
  std::int64_t classes = 20;  ///< Labels are below this.
};

/// The Spiking Heidelberg Digits and the Spiking Speech Commands.
inline constexpr SpikeForm kShd = {700, 20};
inline constexpr SpikeForm kSsc = {700, 35};

/// A recording as stored in the file.
struct SpikeRecording {
  std::int64_t row = 0;
  std::span<const double> times_s;
  std::span<const std::int64_t> units;
  std::int64_t label = 0;
  std::int64_t speaker = -1;  ///< -1: unknown.
};

/// Calls `use` with each recording in turn; spans are valid during the call. Memory grows by 16
/// bytes per recording only. Throws Error(data) that names file, data set and row, the value found
/// and the value expected: something missing or of the wrong type, counts that differ, units or
/// labels out of range, speakers below 0, times that are negative or not finite, a file that is
/// truncated or holds no recording.
void for_each_recording(const std::filesystem::path& path, const SpikeForm& form,
                        const std::function<void(const SpikeRecording&)>& use);

/// Reads a file completely and returns a one-line description ("200 recordings, 1786143 spikes
/// until 1.37 s, 20 classes, speakers 0 1 2; source: ..."). Throws as for_each_recording().
std::string inspect_spikes(const std::filesystem::path& path, const SpikeForm& form);

/// Binning of times: step k holds the times t with edge(k) <= t < edge(k + 1), where edge(k) = k
/// bin; spikes from the last edge on are cut off. If a duration is not a whole number of bins (up
/// to rounding), a last bin exceeds it. These are the bins of Spieler et al. 2023:
/// numpy.digitize(times, numpy.arange(0, 1 + bin, bin)) - 1 without the overflow. REQUIRES: both
/// above 0.
struct SpikeBins {
  double bin_ms = 10;
  double duration_ms = 1000;

  std::int64_t steps() const;
  /// Returns the step of a time; steps() if it is cut off. REQUIRES: time_s >= 0.
  std::int64_t step_of(double time_s) const;
};

/// A recording in bins: 2 bytes per spike and 4 per step.
struct BinnedRecording {
  std::vector<std::uint32_t> first;  ///< [steps + 1]: step k has the units from units[first[k]] up
                                     ///< to the next.
  std::vector<std::uint16_t> units;  ///< One per spike; within a step in the file's order.
  std::int64_t label = 0;
  std::int64_t speaker = -1;
};

/// The recordings of a file in memory; 8,156 of SHD at 2 ms are 160 MB, at 10 ms 150 MB.
struct SpikeSet {
  SpikeForm form;
  SpikeBins bins;
  std::vector<BinnedRecording> recordings;
  std::int64_t spikes = 0, cut_off = 0;  ///< Spikes in the file, and of these after the last step.
  double last_s = 0;                     ///< Latest time in the file.

  bool has_speakers() const { return !recordings.empty() && recordings[0].speaker >= 0; }
};

/// Reads and bins a file, recording by recording. Throws as for_each_recording().
SpikeSet read_spikes(const std::filesystem::path& path, const SpikeForm& form,
                     const SpikeBins& bins);

}  // namespace afterspike::datasets
