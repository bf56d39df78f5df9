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
///   /spikes/times   [recordings], each a row of variable length: seconds, floating point
///   /spikes/units   [recordings], each a row as long: which unit fired, integers
///   /labels         [recordings]: classes, integers
///   /extra/speaker  [recordings]: who spoke, integers; may be missing
///
/// Spikes of a recording may come in any order. Everything else in a file is left alone.
namespace afterspike::datasets {

/// What the numbers of a set may be.
struct SpikeForm {
  std::int64_t units = 700;   ///< Units are below this; at most 65,536.
  std::int64_t classes = 20;  ///< So are labels below this.
};

/// The Spiking Heidelberg Digits and the Spiking Speech Commands.
inline constexpr SpikeForm kShd = {700, 20};
inline constexpr SpikeForm kSsc = {700, 35};

/// A recording as it is in the file.
struct SpikeRecording {
  std::int64_t row = 0;
  std::span<const double> times_s;
  std::span<const std::int64_t> units;
  std::int64_t label = 0;
  std::int64_t speaker = -1;  ///< -1: the file does not say.
};

/// Calls `use` with each recording in turn; spans are valid during the call. Memory does not grow
/// with the number of recordings, but for 16 bytes each. Throws Error(data) that names file, data
/// set and row, what was found and what was expected: something missing or of the wrong type,
/// counts that differ, units or labels that are out of range, speakers below 0, times that are
/// negative or not finite, a file that is cut off or holds no recording.
void for_each_recording(const std::filesystem::path& path, const SpikeForm& form,
                        const std::function<void(const SpikeRecording&)>& use);

/// Reads a file through; returns what it holds in a line ("200 recordings, 1786143 spikes until
/// 1.37 s, 20 classes, speakers 0 1 2; source: ..."), for people. Throws as above.
std::string inspect_spikes(const std::filesystem::path& path, const SpikeForm& form);

/// How times become steps: step k holds the times t with edge(k) <= t < edge(k + 1), where edge(k)
/// = k bin; spikes from the last edge on are cut off. A duration that is not a whole number of bins
/// (but for rounding) is filled up by a last bin that passes it. These are the bins of Spieler et
/// al. 2023: numpy.digitize(times, numpy.arange(0, 1 + bin, bin)) - 1 without the overflow.
/// REQUIRES: both above 0.
struct SpikeBins {
  double bin_ms = 10;
  double duration_ms = 1000;

  std::int64_t steps() const;
  /// steps() for a time that is cut off. REQUIRES: time_s >= 0.
  std::int64_t step_of(double time_s) const;
};

/// A recording in bins: 2 bytes for each spike and 4 for each step.
struct BinnedRecording {
  std::vector<std::uint32_t> first;  ///< [steps + 1]: step k has units[first[k]] ... of the next.
  std::vector<std::uint16_t> units;  ///< One for each spike; within a step in the file's order.
  std::int64_t label = 0;
  std::int64_t speaker = -1;
};

/// The recordings of a file in memory; 8,156 of SHD at 2 ms are 160 MB, at 10 ms 150 MB.
struct SpikeSet {
  SpikeForm form;
  SpikeBins bins;
  std::vector<BinnedRecording> recordings;
  std::int64_t spikes = 0, cut_off = 0;  ///< In the file, and of these after the last step.
  double last_s = 0;                     ///< The latest time in the file.

  bool has_speakers() const { return !recordings.empty() && recordings[0].speaker >= 0; }
};

/// Reads and bins a file, recording by recording. Throws as for_each_recording().
SpikeSet read_spikes(const std::filesystem::path& path, const SpikeForm& form,
                     const SpikeBins& bins);

}  // namespace afterspike::datasets
