#include "afterspike/tasks/sequence_file.hpp"

#include <cerrno>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <system_error>
#include <vector>

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/hdf5.hpp"
#include "afterspike/io/size_limit.hpp"
#include "afterspike/io/table.hpp"

namespace afterspike::tasks {
namespace {

namespace fs = std::filesystem;

/// Throws if the file cannot be opened, with the reason.
void require_file(const fs::path& path) {
  std::error_code error;
  const bool exists = fs::exists(path, error);
  require(exists, ErrorKind::data, "{}: cannot be read: {}", path.string(),
          error ? error.message() : "there is no such file");
  require(!fs::is_directory(path, error), ErrorKind::data, "{}: is a directory, expected a file",
          path.string());
  const std::ifstream file(path, std::ios::binary);
  require(file.good(), ErrorKind::data, "{}: cannot be read: {}", path.string(),
          std::error_code(errno, std::generic_category()).message());
}

at::Tensor read_tensor(const io::Hdf5File& file, const char* name) {
  if (!file.exists(name)) return {};
  const io::Hdf5Array<float> array = file.read<float>(name);
  return at::from_blob(const_cast<float*>(array.values.data()), array.shape, at::kFloat).clone();
}

at::Tensor read_integers(const io::Hdf5File& file, const char* name, std::string_view where) {
  if (!file.exists(name)) return {};
  const io::Hdf5Array<double> array = file.read<double>(name);
  at::Tensor values = at::empty(array.shape, at::kLong);
  for (std::size_t i = 0; i < array.values.size(); ++i) {
    require(array.values[i] == std::floor(array.values[i]) && std::abs(array.values[i]) < 1e15,
            ErrorKind::data, "{}: {}[{}] is {}, expected a whole number", where, name, i,
            array.values[i]);
    values.data_ptr<std::int64_t>()[i] = static_cast<std::int64_t>(array.values[i]);
  }
  // A column or a row, as NumPy and MATLAB write a list.
  const bool is_list = values.dim() == 2 && (values.size(0) == 1 || values.size(1) == 1);
  return is_list ? values.flatten() : values;
}

/// "/X, /y": the data sets and groups at the top of a file.
std::string contents(const io::Hdf5File& file) {
  std::vector<std::string> names;
  for (const std::string& name : file.members("/")) names.push_back("/" + name);
  return names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, ", "));
}

SequenceFile read_hdf5(const fs::path& path) {
  const io::Hdf5File file(path, io::Hdf5File::Mode::read, io::Hdf5File::Links::follow);
  SequenceFile result;
  result.inputs = read_tensor(file, "/inputs");
  require(result.inputs.defined(), ErrorKind::data, "{}: there is no /inputs; found {}",
          path.string(), contents(file));
  result.targets = read_tensor(file, "/targets");
  result.lengths = read_integers(file, "/lengths", path.string());
  result.labels = read_integers(file, "/labels", path.string());
  result.split = read_integers(file, "/split", path.string());
  return result;
}

/// Columns of a CSV file by meaning.
struct Columns {
  std::ptrdiff_t sequence = -1, label = -1, split = -1;
  std::vector<std::size_t> inputs, targets;
};

Columns sort_columns(const io::Table& table, const fs::path& path) {
  Columns columns;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const std::string& name = table.columns[i];
    const auto place = static_cast<std::ptrdiff_t>(i);
    if (name == "sequence")
      columns.sequence = place;
    else if (name == "label")
      columns.label = place;
    else if (name == "split")
      columns.split = place;
    else if (name == "step")
      continue;
    else if (name.starts_with("input"))
      columns.inputs.push_back(i);
    else if (name.starts_with("target"))
      columns.targets.push_back(i);
    else
      fail(ErrorKind::data,
           "{}: column '{}' is not known; expected sequence, step, split, label, input..., "
           "target...",
           path.string(), io::shown(name));
  }
  require(columns.sequence >= 0, ErrorKind::data, "{}: there is no column 'sequence'",
          path.string());
  require(!columns.inputs.empty(), ErrorKind::data,
          "{}: there is no column whose name starts with 'input'", path.string());
  return columns;
}

/// A cell as the file has it: a number, or the text that the number stands for.
std::string cell_text(const io::Table& table, const std::string& column, double cell) {
  const auto texts = table.texts.find(column);
  return texts == table.texts.end() ? fmt::format("{}", cell)
                                    : io::shown(texts->second[static_cast<std::size_t>(cell)]);
}

/// Returns the first row of each sample, and one past the last row.
std::vector<std::size_t> sample_starts(const io::Table& table, const Columns& columns,
                                       const fs::path& path) {
  std::vector<std::size_t> starts;
  std::map<double, std::size_t> seen;
  const auto key = static_cast<std::size_t>(columns.sequence);
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const double name = table.rows[row][key];
    if (row > 0 && table.rows[row - 1][key] == name) continue;
    require(seen.emplace(name, row).second, ErrorKind::data,
            "{}: line {}: sequence {} appears again; expected its rows together", path.string(),
            row + 2, cell_text(table, "sequence", name));
    starts.push_back(row);
  }
  require(!starts.empty(), ErrorKind::data, "{}: there are no rows", path.string());
  starts.push_back(table.rows.size());
  return starts;
}

/// Reads a column with one whole number per sample.
at::Tensor sample_column(const io::Table& table, const std::vector<std::size_t>& starts,
                         std::ptrdiff_t column, const fs::path& path) {
  if (column < 0) return {};
  const auto place = static_cast<std::size_t>(column);
  at::Tensor values = at::empty({static_cast<std::int64_t>(starts.size() - 1)}, at::kLong);
  for (std::size_t sample = 0; sample + 1 < starts.size(); ++sample) {
    const double value = table.rows[starts[sample]][place];
    for (std::size_t row = starts[sample]; row < starts[sample + 1]; ++row) {
      const double found = table.rows[row][place];
      require(found == value && found == std::floor(found) && std::abs(found) < 1e15,
              ErrorKind::data,
              "{}: line {}: column '{}' holds {}; expected one {} for all rows of a sequence",
              path.string(), row + 2, io::shown(table.columns[place]),
              cell_text(table, table.columns[place], found),
              table.texts.contains(table.columns[place]) ? "text" : "whole number");
    }
    values.data_ptr<std::int64_t>()[sample] = static_cast<std::int64_t>(value);
  }
  return values;
}

/// Rounds to single precision, in which networks compute.
float single(double number, const io::Table& table, std::size_t row, std::size_t place,
             const fs::path& path) {
  constexpr double kLargest = std::numeric_limits<float>::max();
  require(std::abs(number) <= kLargest, ErrorKind::data,
          "{}: line {}, column {} ('{}'): found {}, expected at most {:.6g} in size: what single "
          "precision holds",
          path.string(), row + 2, place + 1, io::shown(table.columns[place]), number, kLargest);
  return static_cast<float>(number);
}

at::Tensor step_columns(const io::Table& table, const std::vector<std::size_t>& starts,
                        const std::vector<std::size_t>& places, std::int64_t steps,
                        const fs::path& path) {
  if (places.empty()) return {};
  const auto width = static_cast<std::int64_t>(places.size());
  const auto numbers = static_cast<std::uint64_t>(width) * sizeof(float);
  io::require_plausible_size((starts.size() - 1) * static_cast<std::uint64_t>(steps) * numbers,
                             table.rows.size() * numbers, path.string());
  at::Tensor values = at::zeros({static_cast<std::int64_t>(starts.size() - 1), steps, width});
  auto access = values.accessor<float, 3>();
  for (std::size_t sample = 0; sample + 1 < starts.size(); ++sample) {
    for (std::size_t row = starts[sample]; row < starts[sample + 1]; ++row) {
      for (std::size_t i = 0; i < places.size(); ++i) {
        access[static_cast<std::int64_t>(sample)][static_cast<std::int64_t>(row - starts[sample])]
              [static_cast<std::int64_t>(i)] =
                  single(table.rows[row][places[i]], table, row, places[i], path);
      }
    }
  }
  return values;
}

std::string number_text(double number) {
  const bool whole = number == std::trunc(number);
  return whole ? fmt::format("{}", static_cast<std::int64_t>(number)) : fmt::format("{}", number);
}

/// The cell in the column "sequence" of each sample.
std::vector<std::string> sample_names(const io::Table& table,
                                      const std::vector<std::size_t>& starts,
                                      const Columns& columns) {
  const auto texts = table.texts.find("sequence");
  std::vector<std::string> names;
  for (std::size_t sample = 0; sample + 1 < starts.size(); ++sample) {
    const double cell = table.rows[starts[sample]][static_cast<std::size_t>(columns.sequence)];
    names.push_back(texts == table.texts.end() ? number_text(cell)
                                               : texts->second[static_cast<std::size_t>(cell)]);
  }
  return names;
}

SequenceFile read_csv_sequences(const fs::path& path) {
  constexpr std::string_view kTexts[] = {"sequence", "label"};
  const io::Table table = io::read_csv(path, "sequence", io::Gaps::refused, kTexts);
  const Columns columns = sort_columns(table, path);
  const std::vector<std::size_t> starts = sample_starts(table, columns, path);
  const auto samples = static_cast<std::int64_t>(starts.size() - 1);
  SequenceFile result;
  at::Tensor lengths = at::empty({samples}, at::kLong);
  for (std::int64_t i = 0; i < samples; ++i) {
    const auto at = static_cast<std::size_t>(i);
    lengths.data_ptr<std::int64_t>()[i] = static_cast<std::int64_t>(starts[at + 1] - starts[at]);
  }
  const auto steps = lengths.max().item<std::int64_t>();
  if (lengths.min().item<std::int64_t>() < steps) result.lengths = lengths;
  result.inputs = step_columns(table, starts, columns.inputs, steps, path);
  result.targets = step_columns(table, starts, columns.targets, steps, path);
  result.labels = sample_column(table, starts, columns.label, path);
  result.split = sample_column(table, starts, columns.split, path);
  if (const auto found = table.texts.find("label"); found != table.texts.end()) {
    result.class_names = found->second;
  }
  result.names = sample_names(table, starts, columns);
  return result;
}

void require_range(const at::Tensor& values, std::int64_t low, std::int64_t high,
                   std::int64_t samples, const char* name, const std::string& where) {
  if (!values.defined()) return;
  require(values.dim() == 1 && values.size(0) == samples, ErrorKind::data,
          "{}: {} has {} values in shape [{}], expected one for each of {} samples", where, name,
          values.numel(), fmt::join(values.sizes(), ", "), samples);
  for (std::int64_t i = 0; i < samples; ++i) {
    const std::int64_t value = values.data_ptr<std::int64_t>()[i];
    require(value >= low && value <= high, ErrorKind::data,
            "{}: {} of sample {} is {}, expected {} to {}", where, name, i, value, low, high);
  }
}

void require_finite(const at::Tensor& values, const char* name, const std::string& where) {
  if (!values.defined()) return;
  const at::Tensor bad = (~at::isfinite(values)).nonzero();
  if (bad.size(0) == 0) return;
  fail(ErrorKind::data, "{}: {}[{}, {}, {}] is not finite", where, name,
       bad[0][0].item<std::int64_t>(), bad[0][1].item<std::int64_t>(),
       bad[0][2].item<std::int64_t>());
}

/// Requires targets to be finite or NaN, which means unknown, with a known one in each sample.
void require_targets(const at::Tensor& targets, const at::Tensor& lengths,
                     const std::string& where) {
  if (!targets.defined()) return;
  require_finite(targets.masked_fill(targets.isnan(), 0), "targets", where);
  at::Tensor known = targets.isnan().logical_not().any(2);
  if (lengths.defined()) {
    known = known.logical_and(at::arange(known.size(1)).unsqueeze(0).lt(lengths.unsqueeze(1)));
  }
  const at::Tensor without = known.any(1).logical_not().nonzero();
  if (without.size(0) == 0) return;
  fail(ErrorKind::data, "{}: all targets of sample {} are unknown, expected one that is known",
       where, without[0].item<std::int64_t>());
}

/// Zeroes values beyond the length of each sample, because a file's values there are ignored.
at::Tensor zero_padded(const at::Tensor& values, const at::Tensor& lengths) {
  const at::Tensor step = at::arange(values.size(1), lengths.options());
  return values.masked_fill(step.unsqueeze(0).ge(lengths.unsqueeze(1)).unsqueeze(2), 0);
}

/// Checks the contents, and clears the padding.
void validate(SequenceFile& file, const std::string& where) {
  require(file.inputs.dim() == 3 && file.inputs.numel() > 0, ErrorKind::data,
          "{}: the inputs have {} dimensions and {} values; expected [samples, steps, features]",
          where, file.inputs.dim(), file.inputs.numel());
  const std::int64_t samples = file.inputs.size(0);
  const std::int64_t steps = file.inputs.size(1);
  require(!(file.labels.defined() && file.targets.defined()), ErrorKind::data,
          "{}: there are both labels and targets; expected one of them", where);
  if (file.targets.defined()) {
    require(file.targets.dim() == 3 && file.targets.size(0) == samples &&
                file.targets.size(1) == steps && file.targets.size(2) > 0,
            ErrorKind::data, "{}: targets do not fit: expected [{}, {}, outputs]", where, samples,
            steps);
  }
  require_range(file.lengths, 1, steps, samples, "lengths", where);
  if (file.lengths.defined()) {
    file.inputs = zero_padded(file.inputs, file.lengths);
    if (file.targets.defined()) file.targets = zero_padded(file.targets, file.lengths);
  }
  require_finite(file.inputs, "inputs", where);
  require_targets(file.targets, file.lengths, where);
  require_range(file.labels, 0, 1 << 20, samples, "labels", where);
  require_range(file.split, 0, 2, samples, "split", where);
}

}  // namespace

SequenceFile read_sequence_file(const fs::path& path) {
  require_file(path);
  SequenceFile file = io::is_hdf5(path) ? read_hdf5(path) : read_csv_sequences(path);
  validate(file, path.string());
  return file;
}

}  // namespace afterspike::tasks
