#include <utility>

#include <fmt/format.h>

#include "afterspike/analysis/silencing_files.hpp"
#include "afterspike/base/error.hpp"

namespace afterspike::analysis {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMeasures[] = {"loss", "accuracy"};

io::Json describe(const Estimate& value) {
  if (!value.spread) {
    return {{"mean", value.mean}, {"sd", nullptr}, {"low", nullptr}, {"high", nullptr}};
  }
  return {{"mean", value.mean},
          {"sd", value.spread->sd},
          {"low", value.spread->low},
          {"high", value.spread->high}};
}

io::Json describe(const Difference& test) {
  return {{"difference", test.mean}, {"low", test.low}, {"high", test.high}, {"p", test.p}};
}

template <typename T>
void put(const ByMeasure<T>& values, io::Json& object) {
  for (const auto& [name, value] : values.all()) object[name] = describe(value);
}

io::Json describe(const SilencingSummary::Comparison& test, const std::string& level_name) {
  io::Json result = {{"first", test.first}, {"second", test.second}, {"pairs", test.pairs}};
  if (test.pairs.empty()) {
    result["pairs"] = nullptr;
    result["reason"] = test.reason;
    return result;
  }
  for (const auto& [level, values] : test.levels) {
    io::Json row;
    put(values, row);
    row[level_name] = level;
    result["levels"].push_back(std::move(row));
  }
  io::Json heights;
  put(test.mean_height, heights);
  result["mean_height"] = std::move(heights);
  return result;
}

/// Reads the members of one object of a file. Every failure is an Error(data) that names the file.
class Reader {
 public:
  Reader(const io::Json& object, std::string where) : object_(object), where_(std::move(where)) {}

  template <typename T>
  T get(const char* key) const {
    return io::member<T>(object_, key, where_, ErrorKind::data);
  }
  bool has(const char* key) const { return object_.is_object() && object_.contains(key); }
  bool is_null(const char* key) const { return has(key) && object_.at(key).is_null(); }

  /// Reads the objects of a list with read(Reader).
  template <typename Read>
  void each(const char* key, const Read& read) const {
    const auto list = get<io::Json>(key);
    require(list.is_array(), ErrorKind::data, "{}: '{}' is no list", where_, key);
    for (const io::Json& item : list) read(Reader(item, fmt::format("{}: '{}'", where_, key)));
  }

  /// Reads an object with read(Reader), if the key is there and not null.
  template <typename Read>
  void object(const char* key, const Read& read) const {
    if (!has(key) || is_null(key)) return;
    const auto item = get<io::Json>(key);
    read(Reader(item, fmt::format("{}: '{}'", where_, key)));
  }

  const std::string& where() const { return where_; }

 private:
  const io::Json& object_;
  std::string where_;
};

Estimate read_estimate(const Reader& from, std::int64_t count) {
  Estimate value{from.get<double>("mean"), std::nullopt, count};
  if (from.is_null("sd")) return value;
  value.spread = Spread{from.get<double>("sd"), from.get<double>("low"), from.get<double>("high")};
  return value;
}

Difference read_difference(const Reader& from) {
  return {from.get<double>("difference"), from.get<double>("low"), from.get<double>("high"),
          from.get<double>("p")};
}

template <typename Read>
auto read_measures(const Reader& from, const Read& read) {
  ByMeasure<decltype(read(from))> values;
  for (const char* name : kMeasures) {
    from.object(name, [&](const Reader& value) { values.add(name, read(value)); });
  }
  return values;
}

/// Reads the levels of a run, or those of a group of `runs` runs.
std::vector<SilencingSummary::Level> read_levels(const Reader& from, const std::string& level_name,
                                                 std::int64_t runs = 0) {
  std::vector<SilencingSummary::Level> levels;
  from.each("levels", [&](const Reader& row) {
    SilencingSummary::Level level;
    level.level = row.get<double>(level_name.c_str());
    if (row.has("neurons")) level.neurons = row.get<std::int64_t>("neurons");
    if (row.has("trials")) level.trials = row.get<std::int64_t>("trials");
    const std::int64_t count = runs > 0 ? runs : level.trials;
    level.values =
        read_measures(row, [&](const Reader& value) { return read_estimate(value, count); });
    require(!level.values.empty(), ErrorKind::data, "{}: 'levels' has no loss", from.where());
    levels.push_back(std::move(level));
  });
  require(!levels.empty(), ErrorKind::data, "{}: 'levels' is empty", from.where());
  return levels;
}

ByMeasure<Estimate> read_heights(const Reader& from, std::int64_t count) {
  ByMeasure<Estimate> heights;
  from.object("mean_height", [&](const Reader& values) {
    heights =
        read_measures(values, [&](const Reader& value) { return read_estimate(value, count); });
  });
  return heights;
}

SilencingSummary::Run read_run(const Reader& from, const std::string& level_name) {
  SilencingSummary::Run run;
  run.run = from.get<std::int64_t>("run");
  run.path = from.get<std::string>("path");
  if (from.has("cluster")) {
    run.cluster = from.get<std::int64_t>("cluster");
    run.control = from.get<bool>("control");
  }
  run.levels = read_levels(from, level_name);
  run.mean_height = read_heights(from, run.levels.front().trials);
  return run;
}

SilencingSummary::Comparison read_comparison(const Reader& from, const std::string& level_name) {
  SilencingSummary::Comparison test;
  test.first = from.get<std::string>("first");
  test.second = from.get<std::string>("second");
  if (from.is_null("pairs")) {
    test.reason = from.get<std::string>("reason");
    return test;
  }
  test.pairs = from.get<std::string>("pairs");
  from.each("levels", [&](const Reader& row) {
    test.levels.emplace_back(row.get<double>(level_name.c_str()),
                             read_measures(row, read_difference));
  });
  from.object("mean_height", [&](const Reader& values) {
    test.mean_height = read_measures(values, read_difference);
  });
  return test;
}

/// Returns the perturbation with this name.
Perturbation perturbation_of(const Reader& settings) {
  const auto name = settings.get<std::string>("perturbation");
  for (const Perturbation known : {Perturbation::silence, Perturbation::weight_noise,
                                   Perturbation::jitter, Perturbation::deletion}) {
    if (name == perturbation_name(known)) return known;
  }
  fail(ErrorKind::data, "{}: found the perturbation '{}', which this program does not know",
       settings.where(), name);
}

std::string quoted(const fs::path& file) {
  return fmt::format("'{}'", file.string());
}

}  // namespace

io::Json to_json(const SilencingSummary& summary) {
  io::Json result = {{"runs", io::Json::array()}};
  const auto put_levels = [&](const std::vector<SilencingSummary::Level>& levels, bool counts,
                              io::Json& object) {
    for (const SilencingSummary::Level& level : levels) {
      io::Json row = {{summary.level_name, level.level}};
      if (counts) row.update({{"neurons", level.neurons}, {"trials", level.trials}});
      put(level.values, row);
      object["levels"].push_back(std::move(row));
    }
  };
  const auto put_heights = [](const ByMeasure<Estimate>& heights, io::Json& object) {
    if (!heights.empty()) put(heights, object["mean_height"]);
  };
  for (const SilencingSummary::Run& run : summary.runs) {
    io::Json row = {{"run", run.run}, {"path", run.path}};
    if (summary.by_cluster) row.update({{"cluster", run.cluster}, {"control", run.control}});
    put_levels(run.levels, true, row);
    put_heights(run.mean_height, row);
    result["runs"].push_back(std::move(row));
  }
  if (summary.by_cluster) return result;
  result["groups"] = io::Json::array();
  result["comparisons"] = io::Json::array();
  for (const SilencingSummary::Group& group : summary.groups) {
    io::Json row = {{"name", group.name}, {"runs", group.runs}};
    put_levels(group.levels, false, row);
    put_heights(group.mean_height, row);
    result["groups"].push_back(std::move(row));
  }
  for (const SilencingSummary::Comparison& test : summary.comparisons) {
    result["comparisons"].push_back(describe(test, summary.level_name));
  }
  return result;
}

bool has_study(const fs::path& directory) {
  return fs::exists(directory / "settings.json");
}

StudyRecord read_record(const fs::path& directory) {
  require(fs::exists(directory / "summary.json"), ErrorKind::config,
          "'{}' holds a study that has not ended; the same afterspike silence goes on with it",
          directory.string());
  const fs::path settings_file = directory / "settings.json";
  const io::Json json = io::read_json(settings_file, ErrorKind::data);
  const Reader settings(json, quoted(settings_file));
  StudyRecord record;
  record.perturbation = perturbation_of(settings);
  record.levels = settings.get<std::vector<double>>("levels");
  record.trials = settings.get<std::int64_t>("trials");
  record.samples = settings.get<std::int64_t>("samples");
  record.seed = settings.get<std::uint64_t>("seed");
  record.by = settings.get<std::string>("by");
  record.highest_first = settings.get<bool>("highest_first");
  record.split = settings.get<std::string>("split");
  settings.each("runs", [&](const Reader& run) {
    record.checkpoints.push_back(run.get<std::string>("checkpoint_sha256"));
  });
  const fs::path study_file = directory / "silencing.json";
  const io::Json study = io::read_json(study_file, ErrorKind::data);
  const Reader content(study, quoted(study_file));
  require(content.get<io::Json>("settings") == json, ErrorKind::data,
          "{}: its settings are not those of settings.json", content.where());
  content.object("asked_for", [&](const Reader& asked_for) {
    record.words = asked_for.get<std::vector<std::string>>("runs");
    record.by_file = asked_for.get<std::string>("by_file");
  });
  return record;
}

SilencingSummary read_summary(const fs::path& directory) {
  const fs::path file = directory / "summary.json";
  const StudyRecord record = read_record(directory);
  const io::Json json = io::read_json(file, ErrorKind::data);
  const Reader from(json, quoted(file));
  SilencingSummary summary;
  summary.level_name = level_name(record.perturbation);
  from.each("runs", [&](const Reader& run) {
    summary.runs.push_back(read_run(run, summary.level_name));
    const std::int64_t number = summary.runs.back().run;
    require(number >= 0 && number < std::ssize(record.checkpoints), ErrorKind::data,
            "{}: found run {}, expected one of {}", from.where(), number,
            record.checkpoints.size());
  });
  require(!summary.runs.empty(), ErrorKind::data, "{}: 'runs' is empty", from.where());
  summary.by_cluster = !from.has("groups");
  if (summary.by_cluster) return summary;
  from.each("groups", [&](const Reader& group) {
    const auto runs = group.get<std::int64_t>("runs");
    summary.groups.push_back({group.get<std::string>("name"), runs,
                              read_levels(group, summary.level_name, runs),
                              read_heights(group, runs)});
  });
  from.each("comparisons", [&](const Reader& test) {
    summary.comparisons.push_back(read_comparison(test, summary.level_name));
  });
  return summary;
}

}  // namespace afterspike::analysis
