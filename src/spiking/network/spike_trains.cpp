#include "afterspike/spiking/spike_trains.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/bytes.hpp"
#include "afterspike/io/hdf5.hpp"
#include "afterspike/io/table.hpp"

namespace afterspike::spiking {
namespace {

/// Spikes in the order of a file.
struct Spikes {
  std::vector<double> times_ms;
  std::vector<std::int64_t> neurons;
};

std::optional<Spikes> read_hdf5_spikes(const std::filesystem::path& path, std::string_view name) {
  const io::Hdf5File file(path);
  std::string group = fmt::format("/spikes/{}", name), ids = "node_ids";
  if (!file.exists(group) && file.exists("/spikes/timestamps")) {
    group = "/spikes";
    if (!file.exists("/spikes/node_ids")) ids = "gids";
  }
  if (!file.exists(group)) return std::nullopt;
  const std::string where = fmt::format("'{}': '{}'", path.string(), group);
  Spikes spikes{file.read<double>(group + "/timestamps").values,
                file.read<std::int64_t>(fmt::format("{}/{}", group, ids)).values};
  require(spikes.times_ms.size() == spikes.neurons.size(), ErrorKind::data,
          "{}: found {} timestamps and {} {}, expected as many", where, spikes.times_ms.size(),
          spikes.neurons.size(), ids);
  if (file.has_attribute(group + "/timestamps", "units")) {
    const std::string units = file.text_attribute(group + "/timestamps", "units");
    require(units == "milliseconds" || units == "ms", ErrorKind::data,
            "{}: found timestamps in {}, expected milliseconds", where, units);
  }
  return spikes;
}

/// The line that `text` begins with, which is taken off it.
std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
  return line;
}

/// The cells of a line. Quotes keep separators; several blanks are one.
std::vector<std::string> cells_of(std::string_view line, char separator) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (const char letter : line) {
    if (letter == '"') {
      quoted = !quoted;
    } else if (quoted || letter != separator) {
      cells.back() += letter;
    } else if (separator != ' ' || !cells.back().empty()) {
      cells.emplace_back();
    }
  }
  return cells;
}

char separator_of(std::string_view header) {
  for (const char each : {'\t', ',', ';'}) {
    if (header.find(each) != std::string_view::npos) return each;
  }
  return ' ';
}

/// The columns of a table of spikes by their places; npos: absent.
struct Columns {
  static constexpr std::size_t kAbsent = std::string::npos;
  std::size_t time = kAbsent, population = kAbsent, neuron = kAbsent, list = kAbsent, count = 0;

  explicit Columns(const std::vector<std::string>& names) : count(names.size()) {
    for (std::size_t at = 0; at < count; ++at) {
      const std::string& name = names[at];
      if (name == "timestamps") time = at;
      if (name == "population") population = at;
      if (name == "node_ids" || name == "node_id" || name == "gids" || name == "gid") neuron = at;
      if (name == "spike-times" || name == "spike_times") list = at;
    }
  }
  bool is_known() const { return neuron != kAbsent && (time != kAbsent) != (list != kAbsent); }
};

template <typename T>
T number_of(std::string_view text, const std::string& where, std::string_view column) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  T number = 0;
  const char* const begin = text.data() + (text.size() > 1 && text[0] == '+' && text[1] != '-');
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), number);
  require(error == std::errc() && end == text.data() + text.size() && !text.empty(),
          ErrorKind::data, "{}: column '{}': found '{}', expected a number", where, column,
          io::shown(text));
  return number;
}

/// One row's spikes onto `spikes`.
void add_row(const std::vector<std::string>& cells, const Columns& columns,
             const std::string& where, Spikes& spikes) {
  const auto neuron = number_of<std::int64_t>(cells[columns.neuron], where, "node_ids");
  const auto add = [&](std::string_view text) {
    spikes.times_ms.push_back(number_of<double>(text, where, "timestamps"));
    spikes.neurons.push_back(neuron);
  };
  if (columns.list == Columns::kAbsent) return add(cells[columns.time]);
  for (const std::string& time : cells_of(cells[columns.list], ',')) {
    if (!time.empty()) add(time);
  }
}

std::optional<Spikes> read_text_spikes(const std::filesystem::path& path, std::string_view name) {
  const std::string content = io::read_text(path);
  std::string_view text = content;
  const std::string_view header = take_line(text);
  const char separator = separator_of(header);
  const Columns columns(cells_of(header, separator));
  require(columns.is_known(), ErrorKind::data,
          "'{}': line 1: found '{}', expected the columns timestamps, population and node_ids",
          path.string(), io::shown(header));
  Spikes spikes;
  bool has_others = false;
  for (std::size_t line = 2; !text.empty(); ++line) {
    const std::vector<std::string> cells = cells_of(take_line(text), separator);
    if (cells.size() == 1 && cells[0].empty()) continue;
    const std::string where = fmt::format("'{}': line {}", path.string(), line);
    require(cells.size() == columns.count, ErrorKind::data, "{}: found {} columns, expected {}",
            where, cells.size(), columns.count);
    const bool other = columns.population != Columns::kAbsent && cells[columns.population] != name;
    has_others = has_others || other;
    if (!other) add_row(cells, columns, where, spikes);
  }
  if (has_others && spikes.times_ms.empty()) return std::nullopt;
  return spikes;
}

}  // namespace

SpikeTrains trains_of(std::span<const double> times_ms, std::span<const std::int64_t> neuron_of,
                      std::int64_t neurons, const std::string& where) {
  std::vector<std::pair<std::int64_t, double>> spikes;
  for (std::size_t at = 0; at < times_ms.size(); ++at) {
    require(neuron_of[at] >= 0 && neuron_of[at] < neurons, ErrorKind::data,
            "{}: spike {}: found neuron {}, expected 0 to {}", where, at, neuron_of[at],
            neurons - 1);
    require(std::isfinite(times_ms[at]) && times_ms[at] >= 0, ErrorKind::data,
            "{}: spike {}: found {} ms, expected a time of 0 or later", where, at, times_ms[at]);
    spikes.emplace_back(neuron_of[at], times_ms[at]);
  }
  std::sort(spikes.begin(), spikes.end());
  SpikeTrains trains;
  trains.offsets.assign(static_cast<std::size_t>(neurons) + 1, 0);
  for (const auto& [neuron, time] : spikes) {
    ++trains.offsets[static_cast<std::size_t>(neuron) + 1];
    trains.times_ms.push_back(time);
  }
  for (std::size_t row = 1; row < trains.offsets.size(); ++row) {
    trains.offsets[row] += trains.offsets[row - 1];
  }
  return trains;
}

std::optional<SpikeTrains> find_spike_trains(const std::filesystem::path& path,
                                             std::string_view name, std::int64_t neurons) {
  const auto spikes =
      io::is_hdf5(path) ? read_hdf5_spikes(path, name) : read_text_spikes(path, name);
  if (!spikes) return std::nullopt;
  return trains_of(spikes->times_ms, spikes->neurons, neurons,
                   fmt::format("'{}': population '{}'", path.string(), name));
}

bool is_sonata_spike_table(const std::filesystem::path& path) {
  const std::string content = io::read_text(path);
  std::string_view text = content;
  const std::string_view header = take_line(text);
  return Columns(cells_of(header, separator_of(header))).is_known();
}

}  // namespace afterspike::spiking
