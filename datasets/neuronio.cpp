#include "afterspike/datasets/neuronio.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/hdf5.hpp"

namespace afterspike::datasets {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSoma = "/soma_mV";
constexpr std::string_view kSegments = "/segment_is_apical";

/// A file of simulations that is being read.
class SimulationFile {
 public:
  explicit SimulationFile(const fs::path& path) : path_(path), file_(path) {
    const auto soma = file_.shape(kSoma);
    require(soma.size() == 2 && soma[0] > 0 && soma[1] > 0, ErrorKind::data,
            "{}: found shape [{}], expected [runs, steps]", where(kSoma), fmt::join(soma, ", "));
    runs_ = soma[0];
    steps_ = soma[1];
    const auto segments = file_.shape(kSegments);
    require(segments.size() == 1 && segments[0] > 0 && segments[0] <= kMaxSegments, ErrorKind::data,
            "{}: found shape [{}], expected [segments], 1 to {}", where(kSegments),
            fmt::join(segments, ", "), kMaxSegments);
    segments_ = segments[0];
    input_ = rows_of("/input/ptr", {"/input/times_ms", "/input/synapse"});
    output_ = rows_of("/output/ptr", {"/output/times_ms"});
  }

  NeuronSimulations read() const {
    NeuronSimulations result{segments_, steps_, {}};
    for (std::int64_t run = 0; run < runs_; ++run) result.runs.push_back(read_run(run));
    return result;
  }

 private:
  static constexpr std::int64_t kMaxSegments = 32'768;  // Synapses are stored in 16 bits.

  std::string where(std::string_view dataset) const {
    return fmt::format("'{}': '{}'", path_.string(), dataset);
  }

  /// Returns the checked bounds of the rows of some data sets.
  std::vector<std::int64_t> rows_of(std::string_view name,
                                    std::initializer_list<std::string_view> datasets) const {
    const auto bounds = file_.read<std::int64_t>(name);
    require(bounds.shape == std::vector{runs_ + 1}, ErrorKind::data,
            "{}: found shape [{}], expected [{}]: a number more than there are runs", where(name),
            fmt::join(bounds.shape, ", "), runs_ + 1);
    require(
        bounds.values.front() == 0 && std::is_sorted(bounds.values.begin(), bounds.values.end()),
        ErrorKind::data, "{}: expected numbers that begin with 0 and do not fall", where(name));
    for (const std::string_view dataset : datasets) {
      const auto shape = file_.shape(dataset);
      require(shape == std::vector{bounds.values.back()}, ErrorKind::data,
              "{}: found shape [{}], expected [{}]: the last number of '{}'", where(dataset),
              fmt::join(shape, ", "), bounds.values.back(), name);
    }
    return bounds.values;
  }

  /// Returns the part of a data set that belongs to a run, checked to lie in [low, end).
  template <typename T>
  std::vector<T> part(std::string_view dataset, const std::vector<std::int64_t>& bounds,
                      std::int64_t run, T low, T end, std::string_view unit) const {
    const auto index = static_cast<std::size_t>(run);
    auto values = file_.read_rows<T>(dataset, bounds[index], bounds[index + 1]).values;
    const auto wrong = std::find_if_not(values.begin(), values.end(),
                                        [&](T value) { return value >= low && value < end; });
    if (wrong != values.end()) {
      fail(ErrorKind::data, "{}: run {}: found {}{}, expected from {} to below {}", where(dataset),
           run, *wrong, unit, low, end);
    }
    return values;
  }

  NeuronRun read_run(std::int64_t run) const {
    const auto times = part<std::int64_t>("/input/times_ms", input_, run, 0, steps_, " ms");
    const auto synapses = part<std::int64_t>("/input/synapse", input_, run, 0, 2 * segments_, "");
    NeuronRun result;
    result.first.assign(static_cast<std::size_t>(steps_) + 1, 0);
    for (const std::int64_t time : times) ++result.first[static_cast<std::size_t>(time) + 1];
    for (std::size_t step = 1; step < result.first.size(); ++step) {
      result.first[step] += result.first[step - 1];
    }
    std::vector<std::uint32_t> next(result.first.begin(), result.first.end() - 1);
    result.synapses.resize(times.size());
    for (std::size_t i = 0; i < times.size(); ++i) {
      const std::uint32_t place = next[static_cast<std::size_t>(times[i])]++;
      result.synapses[place] = static_cast<std::uint16_t>(synapses[i]);
    }
    for (const double time : part<double>("/output/times_ms", output_, run, 0.5,
                                          static_cast<double>(steps_) + 0.5, " ms")) {
      result.spikes.push_back(static_cast<std::int64_t>(time - 0.5));
    }
    std::sort(result.spikes.begin(), result.spikes.end());
    result.soma_mV = file_.read_rows<float>(kSoma, run, run + 1).values;
    const bool finite = std::all_of(result.soma_mV.begin(), result.soma_mV.end(),
                                    [](float voltage) { return std::isfinite(voltage); });
    require(finite, ErrorKind::data, "{}: run {}: found a voltage that is not finite", where(kSoma),
            run);
    return result;
  }

  fs::path path_;
  io::Hdf5File file_;
  std::int64_t runs_ = 0, steps_ = 0, segments_ = 0;
  std::vector<std::int64_t> input_, output_;
};

}  // namespace

NeuronSimulations read_neuronio(const fs::path& path) {
  return SimulationFile(path).read();
}

}  // namespace afterspike::datasets
