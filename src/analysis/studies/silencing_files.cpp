#include "afterspike/analysis/silencing_files.hpp"

#include <cmath>

#include "afterspike/analysis/neurons.hpp"
#include "afterspike/base/error.hpp"
#include "afterspike/io/atomic.hpp"
#include "afterspike/io/bytes.hpp"
#include "afterspike/io/lock.hpp"

namespace afterspike::analysis {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kFormat = 1;

void write_json(const fs::path& path, const io::Json& json) {
  io::write_file(path, json.dump(2) + "\n");
}

/// Creates the directory, or checks that it holds this study.
void prepare(const fs::path& directory, const io::Json& settings) {
  const fs::path file = directory / "settings.json";
  if (fs::exists(file)) {
    const io::Json found = io::read_json(file, ErrorKind::data);
    for (const auto& [name, value] : settings.items()) {
      const io::Json& stored = found.contains(name) ? found[name] : io::Json();
      require(stored == value, ErrorKind::config,
              "'{}' holds another study: its {} is {}, here it is {}; expected the same settings "
              "(to go on with it) or another --out",
              directory.string(), name, stored.dump(), value.dump());
    }
    return;
  }
  std::error_code ignored;
  require(!fs::exists(directory) || fs::is_empty(directory, ignored), ErrorKind::config,
          "'{}' is not empty and holds no study; expected a new directory", directory.string());
  fs::create_directories(directory);
  write_json(file, settings);
}

/// Removes the directory created by prepare() if nothing was measured, so that the corrected
/// command can use the name.
void remove_unless_measured(const fs::path& directory) {
  std::error_code ignored;
  if (fs::exists(directory / "silencing.csv")) return;
  fs::remove(directory / "settings.json", ignored);
  fs::remove(directory, ignored);
}

/// Returns a number of a table; whole ones, such as counts, as integers.
io::Json number(double value) {
  constexpr double kExact = 9007199254740992;  // 2^53
  if (value != std::floor(value) || std::abs(value) > kExact) return value;
  return static_cast<std::int64_t>(value);
}

/// Returns the rows of a table as objects.
io::Json rows_of(const io::Table& table) {
  io::Json rows = io::Json::array();
  for (const auto& row : table.rows) {
    io::Json object;
    for (std::size_t i = 0; i < row.size(); ++i) object[table.columns[i]] = number(row[i]);
    rows.push_back(std::move(object));
  }
  return rows;
}

/// Returns the settings that decide the numbers of a study.
io::Json settings_of(const Study& study) {
  io::Json runs = io::Json::array();
  for (const Subject& subject : study.subjects) {
    runs.push_back(
        {{"checkpoint_sha256", io::sha256_of_file(subject.trained->checkpoint / "manifest.json")},
         {"data_sha256", tasks::fingerprint(*subject.data)}});
  }
  return {{"format", kFormat},
          {"perturbation", perturbation_name(study.protocol.perturbation)},
          {"levels", study.protocol.levels},
          {"trials", study.protocol.trials},
          {"seed", study.protocol.seed},
          {"by", study.by},
          {"highest_first", study.protocol.selection.highest_first},
          {"values", study.protocol.selection.kind == Selection::Kind::clusters
                         ? io::Json(study.protocol.selection.values)
                         : io::Json()},
          {"split", tasks::split_name(study.split)},
          {"samples", study.subjects.front().data->size()},
          {"runs", runs}};
}

SilencingSummary write_results(const Study& study, const io::Json& settings,
                               const fs::path& directory,
                               const std::vector<Measurement>& measured) {
  io::Json runs = io::Json::array();
  for (const Subject& subject : study.subjects) {
    runs.push_back({{"path", subject.name},
                    {"checkpoint", subject.trained->checkpoint.string()},
                    {"task", subject.trained->experiment->task_name()},
                    {"neuron", subject.trained->experiment->neuron_name()},
                    {"neurons", hidden_neurons(subject.network()).size()},
                    {"samples", subject.data->size()}});
  }
  const io::Table table = silencing_table(study.names, measured);
  std::vector<std::string> words;
  for (const RunGroup& group : study.names.groups) words.push_back(group.name);
  write_json(directory / "silencing.json",
             {{"settings", settings},
              {"asked_for", {{"runs", words}, {"by_file", study.by_file}}},
              {"runs", runs},
              {"rows", rows_of(table)}});
  io::write_csv(directory / "summary.csv", summary_table(study.names, measured));
  SilencingSummary summary = silencing_summary(study.names, measured);
  write_json(directory / "summary.json", to_json(summary));
  return summary;
}

}  // namespace

std::optional<SilencingSummary> run_study(
    const Study& study, const fs::path& directory, ThreadPool& pool,
    const std::function<bool(std::size_t, std::size_t)>& progress) {
  const std::vector<Measurement> all = plan(study.protocol, study.subjects);
  const io::Json settings = settings_of(study);
  prepare(directory, settings);
  const auto lock = io::Lock::try_take(directory);
  require(lock.has_value(), ErrorKind::config, "'{}': another process is measuring this study",
          directory.string());
  const fs::path file = directory / "silencing.csv";
  std::vector<Measurement> measured;
  if (fs::exists(file)) {
    measured = read_measurements(io::read_csv(file), study.names, all, file.string());
  }
  std::size_t saved = measured.size();
  const auto save = [&](const std::vector<Measurement>& so_far) {
    if (so_far.size() > saved) {
      io::write_csv(file, silencing_table(study.names, so_far));
      saved = so_far.size();
    }
    return progress(so_far.size(), all.size());
  };
  bool complete = false;
  try {
    complete = measure(study.protocol, study.subjects, all, measured, pool, save);
  } catch (...) {
    remove_unless_measured(directory);
    throw;
  }
  // A stop after the last evaluation has no effect.
  if (!complete && measured.size() < all.size()) return std::nullopt;
  return write_results(study, settings, directory, measured);
}

}  // namespace afterspike::analysis
