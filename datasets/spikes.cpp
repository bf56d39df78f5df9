#include "afterspike/datasets/spikes.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/hdf5.hpp"

namespace afterspike::datasets {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTimes = "/spikes/times";
constexpr std::string_view kUnits = "/spikes/units";
constexpr std::string_view kLabels = "/labels";
constexpr std::string_view kSpeakers = "/extra/speaker";

// Recordings read at a time: some ten megabytes of SHD.
constexpr std::int64_t kSlice = 32;

/// A file that is being read.
class SpikeFile {
 public:
  SpikeFile(const fs::path& path, const SpikeForm& form)
      : path_(path), form_(form), file_(path), recordings_(count_of(kTimes)) {
    require(recordings_ > 0, ErrorKind::data, "{}: found no recordings, expected at least one",
            where(kTimes));
    require_as_many(kUnits);
    labels_ = numbers(kLabels, form.classes - 1, "label");
    constexpr std::int64_t kMaxSpeakers = 1'000'000;
    if (file_.exists(kSpeakers)) speakers_ = numbers(kSpeakers, kMaxSpeakers - 1, "speaker");
  }

  std::int64_t recordings() const { return recordings_; }

  void read_slice(std::int64_t begin, const std::function<void(const SpikeRecording&)>& use) const {
    const std::int64_t end = std::min(begin + kSlice, recordings_);
    const auto times = file_.read_variable_rows<double>(kTimes, begin, end);
    const auto units = file_.read_variable_rows<std::int64_t>(kUnits, begin, end);
    for (std::int64_t row = begin; row < end; ++row) {
      SpikeRecording recording;
      recording.row = row;
      recording.times_s = row_of(times, row - begin);
      recording.units = row_of(units, row - begin);
      recording.label = labels_[static_cast<std::size_t>(row)];
      if (!speakers_.empty()) recording.speaker = speakers_[static_cast<std::size_t>(row)];
      check(recording);
      use(recording);
    }
  }

  /// Returns the origin stated in the file; empty if there is none.
  std::string source() const {
    try {
      return file_.has_attribute("/", "source") ? file_.text_attribute("/", "source") : "";
    } catch (const Error&) {
      return "";  // An object of that name, but not a text.
    }
  }

 private:
  std::string where(std::string_view dataset) const {
    return fmt::format("'{}': '{}'", path_.string(), dataset);
  }

  std::int64_t count_of(std::string_view dataset) const {
    const std::vector<std::int64_t> shape = file_.shape(dataset);
    require(shape.size() == 1, ErrorKind::data,
            "{}: found {} dimensions, expected 1: the recordings", where(dataset), shape.size());
    return shape[0];
  }

  void require_as_many(std::string_view dataset) const {
    const std::int64_t found = count_of(dataset);
    require(found == recordings_, ErrorKind::data,
            "{}: found {} rows, expected {}: one for each row of '{}'", where(dataset), found,
            recordings_, kTimes);
  }

  /// Reads a whole number from 0 to `highest` for each recording.
  std::vector<std::int64_t> numbers(std::string_view dataset, std::int64_t highest,
                                    std::string_view meaning) const {
    require_as_many(dataset);
    std::vector<std::int64_t> values = file_.read<std::int64_t>(dataset).values;
    const auto wrong = std::find_if_not(values.begin(), values.end(), [&](std::int64_t value) {
      return value >= 0 && value <= highest;
    });
    if (wrong != values.end()) {
      fail(ErrorKind::data, "{}: row {}: found {} {}, expected 0 to {}", where(dataset),
           wrong - values.begin(), meaning, *wrong, highest);
    }
    return values;
  }

  template <typename T>
  static std::span<const T> row_of(const io::Hdf5Rows<T>& rows, std::int64_t row) {
    const auto index = static_cast<std::size_t>(row);
    const auto begin = static_cast<std::size_t>(rows.offsets[index]);
    const auto end = static_cast<std::size_t>(rows.offsets[index + 1]);
    return std::span(rows.values).subspan(begin, end - begin);
  }

  void check(const SpikeRecording& recording) const {
    require(recording.units.size() == recording.times_s.size(), ErrorKind::data,
            "{}: row {}: found {} units, expected {}: one for each time in '{}'", where(kUnits),
            recording.row, recording.units.size(), recording.times_s.size(), kTimes);
    const auto time = std::find_if_not(recording.times_s.begin(), recording.times_s.end(),
                                       [](double t) { return std::isfinite(t) && t >= 0; });
    if (time != recording.times_s.end()) {
      fail(ErrorKind::data, "{}: row {}: found a time of {} s, expected 0 or more", where(kTimes),
           recording.row, *time);
    }
    const auto unit =
        std::find_if_not(recording.units.begin(), recording.units.end(),
                         [this](std::int64_t u) { return u >= 0 && u < form_.units; });
    if (unit != recording.units.end()) {
      fail(ErrorKind::data, "{}: row {}: found unit {}, expected 0 to {}", where(kUnits),
           recording.row, *unit, form_.units - 1);
    }
  }

  fs::path path_;
  SpikeForm form_;
  io::Hdf5File file_;
  std::int64_t recordings_;
  std::vector<std::int64_t> labels_, speakers_;
};

/// Returns the time of the last spike; 0 if there is none.
double latest(const SpikeRecording& recording) {
  const auto& times = recording.times_s;
  return times.empty() ? 0 : *std::max_element(times.begin(), times.end());
}

BinnedRecording binned(const SpikeRecording& recording, const SpikeBins& bins) {
  const auto steps = static_cast<std::size_t>(bins.steps());
  BinnedRecording result;
  result.label = recording.label;
  result.speaker = recording.speaker;
  std::vector<std::size_t> step_of(recording.times_s.size());
  std::vector<std::uint32_t> next(steps + 1);  // First counts, then the position of the next spike.
  for (std::size_t spike = 0; spike < step_of.size(); ++spike) {
    step_of[spike] = static_cast<std::size_t>(bins.step_of(recording.times_s[spike]));
    ++next[step_of[spike]];
  }
  std::uint32_t total = 0;
  for (std::size_t step = 0; step <= steps; ++step) {
    result.first.push_back(total);
    total += std::exchange(next[step], total);
  }
  result.units.resize(result.first.back());
  for (std::size_t spike = 0; spike < step_of.size(); ++spike) {
    if (step_of[spike] == steps) continue;
    result.units[next[step_of[spike]]++] = static_cast<std::uint16_t>(recording.units[spike]);
  }
  return result;
}

}  // namespace

void for_each_recording(const fs::path& path, const SpikeForm& form,
                        const std::function<void(const SpikeRecording&)>& use) {
  const SpikeFile file(path, form);
  for (std::int64_t begin = 0; begin < file.recordings(); begin += kSlice) {
    file.read_slice(begin, use);
  }
}

std::string inspect_spikes(const fs::path& path, const SpikeForm& form) {
  const SpikeFile file(path, form);
  std::size_t spikes = 0;
  double last_s = 0;
  std::set<std::int64_t> classes, speakers;
  for (std::int64_t begin = 0; begin < file.recordings(); begin += kSlice) {
    file.read_slice(begin, [&](const SpikeRecording& recording) {
      spikes += recording.times_s.size();
      last_s = std::max(last_s, latest(recording));
      classes.insert(recording.label);
      if (recording.speaker >= 0) speakers.insert(recording.speaker);
    });
  }
  std::string text = fmt::format("{} recordings, {} spikes until {:.4g} s, {} classes, ",
                                 file.recordings(), spikes, last_s, classes.size());
  text += speakers.empty() ? "no speakers" : fmt::format("speakers {}", fmt::join(speakers, " "));
  const std::string source = file.source();
  return source.empty() ? text : fmt::format("{}; source: {}", text, source);
}

std::int64_t SpikeBins::steps() const {
  constexpr double kRounding = 1e-9;  // 700 / 1.4 is slightly more than 500.
  return static_cast<std::int64_t>(std::ceil(duration_ms / bin_ms * (1 - kRounding)));
}

std::int64_t SpikeBins::step_of(double time_s) const {
  const double bin_s = bin_ms / 1000;
  const auto edge = [&](std::int64_t step) { return static_cast<double>(step) * bin_s; };
  const std::int64_t end = steps();
  if (time_s >= edge(end)) return end;
  auto step = static_cast<std::int64_t>(time_s / bin_s);
  // The quotient may be rounded across an edge.
  while (step > 0 && time_s < edge(step)) --step;
  while (time_s >= edge(step + 1)) ++step;
  return step;
}

SpikeSet read_spikes(const fs::path& path, const SpikeForm& form, const SpikeBins& bins) {
  assert(form.units <= 65'536 && bins.bin_ms > 0 && bins.duration_ms > 0);
  SpikeSet set{form, bins, {}};
  for_each_recording(path, form, [&](const SpikeRecording& recording) {
    set.recordings.push_back(binned(recording, bins));
    const std::int64_t spikes = std::ssize(recording.times_s);
    set.spikes += spikes;
    set.cut_off += spikes - std::ssize(set.recordings.back().units);
    set.last_s = std::max(set.last_s, latest(recording));
  });
  return set;
}

}  // namespace afterspike::datasets
