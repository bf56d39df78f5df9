#include "afterspike/analysis/silencing_summary.hpp"

#include <algorithm>
#include <functional>

#include "afterspike/base/error.hpp"
#include "afterspike/statistics/resampling.hpp"

namespace afterspike::analysis {
namespace {

using statistics::Interval;

/// A measured quantity: its name and member.
struct Metric {
  const char* name;
  double Measurement::*value;
};

std::vector<Metric> metrics_of(const StudyNames& names) {
  std::vector<Metric> metrics = {{"loss", &Measurement::loss}};
  if (names.classifies) metrics.push_back({"accuracy", &Measurement::accuracy});
  return metrics;
}

/// The trials of a run at one level.
struct Point {
  Measurement first;
  std::vector<Measurement> trials;

  std::vector<double> values(const Metric& metric) const {
    std::vector<double> result;
    for (const Measurement& trial : trials) result.push_back(trial.*metric.value);
    return result;
  }
};

/// The points of a run (and cluster), ordered by level.
using SilencingCurve = std::vector<Point>;

bool same_curve(const Measurement& a, const Measurement& b) {
  return a.run == b.run && a.cluster == b.cluster && a.control == b.control;
}

std::vector<SilencingCurve> curves_of(const std::vector<Measurement>& measured) {
  std::vector<SilencingCurve> curves;
  for (const Measurement& measurement : measured) {
    if (curves.empty() || !same_curve(curves.back().back().first, measurement))
      curves.emplace_back();
    SilencingCurve& curve = curves.back();
    if (curve.empty() || curve.back().first.level != measurement.level)
      curve.push_back({measurement, {}});
    curve.back().trials.push_back(measurement);
  }
  return curves;
}

std::vector<double> levels_of(const SilencingCurve& curve) {
  std::vector<double> levels;
  for (const Point& point : curve) levels.push_back(point.first.level);
  return levels;
}

/// Returns the mean height of the curve of each trial; empty if there is only one level.
std::vector<double> heights(const SilencingCurve& curve, const Metric& metric) {
  if (curve.size() < 2) return {};
  const std::vector<double> levels = levels_of(curve);
  std::vector<double> result;
  for (std::size_t trial = 0; trial < curve.front().trials.size(); ++trial) {
    std::vector<double> values;
    for (const Point& point : curve) values.push_back(point.trials[trial].*metric.value);
    result.push_back(statistics::mean_height(levels, values));
  }
  return result;
}

/// Returns the stream of a part of the summary, by name, so that other parts have no effect.
Rng stream_of(const StudyNames& names, const std::string& what) {
  return Rng(names.seed).stream("summary").stream(what);
}

std::string key_of(const Measurement& point, const Metric& metric) {
  return fmt::format("run {} cluster {} {} level {} {}", point.run, point.cluster, point.control,
                     point.level, metric.name);
}

Estimate estimate(const std::vector<double>& values, const Rng& rng) {
  Estimate result{statistics::mean(values), std::nullopt, std::ssize(values)};
  if (values.size() < 2) return result;
  const Interval interval = statistics::bootstrap_mean(values, rng);
  result.spread = Spread{statistics::standard_deviation(values), interval.low, interval.high};
  return result;
}

SilencingSummary::Run summary_of(const StudyNames& names, const SilencingCurve& curve,
                                 const std::vector<std::string>& paths) {
  const Measurement& first = curve.front().first;
  SilencingSummary::Run result;
  result.run = first.run;
  result.path = paths[static_cast<std::size_t>(first.run)];
  if (names.by_cluster) {
    result.cluster = first.cluster;
    result.control = first.control;
  }
  for (const Point& point : curve) {
    SilencingSummary::Level level{
        point.first.level, point.first.neurons, static_cast<std::int64_t>(point.trials.size()), {}};
    for (const Metric& metric : metrics_of(names)) {
      level.values.add(metric.name, estimate(point.values(metric),
                                             stream_of(names, key_of(point.first, metric))));
    }
    result.levels.push_back(std::move(level));
  }
  for (const Metric& metric : metrics_of(names)) {
    const std::vector<double> values = heights(curve, metric);
    if (values.empty()) continue;
    result.mean_height.add(metric.name,
                           estimate(values, stream_of(names, "height " + key_of(first, metric))));
  }
  return result;
}

/// The curves of a group's runs, all clusters.
struct Group {
  const RunGroup* names;
  std::vector<SilencingCurve> curves;
};

std::vector<Group> groups_of(const StudyNames& names, const std::vector<SilencingCurve>& curves) {
  std::vector<Group> groups;
  std::int64_t begin = 0;
  for (const RunGroup& group : names.groups) {
    const std::int64_t end = begin + static_cast<std::int64_t>(group.paths.size());
    groups.push_back({&group, {}});
    for (const SilencingCurve& curve : curves) {
      const std::int64_t run = curve.front().first.run;
      if (begin <= run && run < end) groups.back().curves.push_back(curve);
    }
    begin = end;
  }
  return groups;
}

/// Returns the mean of each run at one level.
std::vector<double> run_means(const Group& group, std::size_t level, const Metric& metric) {
  std::vector<double> means;
  for (const SilencingCurve& curve : group.curves) {
    means.push_back(statistics::mean(curve[level].values(metric)));
  }
  return means;
}

std::vector<double> mean_heights(const Group& group, const Metric& metric) {
  std::vector<double> means;
  for (const SilencingCurve& curve : group.curves) {
    const std::vector<double> values = heights(curve, metric);
    if (!values.empty()) means.push_back(statistics::mean(values));
  }
  return means;
}

SilencingSummary::Group summary_of(const StudyNames& names, const Group& group) {
  SilencingSummary::Group result{
      group.names->name, static_cast<std::int64_t>(group.curves.size()), {}, {}};
  const auto stream = [&](const std::string& what, const Metric& metric) {
    return stream_of(names, fmt::format("group {} {} {}", group.names->name, what, metric.name));
  };
  const SilencingCurve& first = group.curves.front();
  for (std::size_t i = 0; i < first.size(); ++i) {
    SilencingSummary::Level level{first[i].first.level, 0, 0, {}};
    for (const Metric& metric : metrics_of(names)) {
      level.values.add(metric.name, estimate(run_means(group, i, metric),
                                             stream(fmt::format("{}", level.level), metric)));
    }
    result.levels.push_back(std::move(level));
  }
  for (const Metric& metric : metrics_of(names)) {
    const std::vector<double> values = mean_heights(group, metric);
    if (values.empty()) continue;
    result.mean_height.add(metric.name, estimate(values, stream("height", metric)));
  }
  return result;
}

/// Paired values of two groups.
struct Pairs {
  std::vector<double> first, second;
};

using PairsOf = std::function<Pairs(const Metric&)>;

ByMeasure<Difference> test_all(const StudyNames& names, const std::string& what,
                               const PairsOf& pairs_of) {
  ByMeasure<Difference> result;
  for (const Metric& metric : metrics_of(names)) {
    const Pairs pairs = pairs_of(metric);
    if (pairs.first.empty()) continue;
    const statistics::PairedTest test = statistics::paired_test(
        pairs.first, pairs.second, stream_of(names, fmt::format("test {} {}", what, metric.name)));
    result.add(metric.name, {test.difference, test.interval.low, test.interval.high, test.p});
  }
  return result;
}

/// Compares two groups, if they make pairs.
SilencingSummary::Comparison compare(const StudyNames& names, const Group& a, const Group& b) {
  const bool by_trial = a.curves.size() == 1 && b.curves.size() == 1;
  const std::string what = fmt::format("{} and {}", a.names->name, b.names->name);
  SilencingSummary::Comparison result{a.names->name, b.names->name, "", "", {}, {}};
  if (a.curves.size() != b.curves.size()) {
    result.reason =
        fmt::format("{} runs and {} do not make pairs", a.curves.size(), b.curves.size());
    return result;
  }
  result.pairs = by_trial ? "trials" : "runs";
  const SilencingCurve& levels = a.curves.front();
  for (std::size_t level = 0; level < levels.size(); ++level) {
    const double value = levels[level].first.level;
    result.levels.emplace_back(
        value, test_all(names, fmt::format("{} level {}", what, value), [&](const Metric& metric) {
          return by_trial
                     ? Pairs{a.curves[0][level].values(metric), b.curves[0][level].values(metric)}
                     : Pairs{run_means(a, level, metric), run_means(b, level, metric)};
        }));
  }
  result.mean_height = test_all(names, what + " height", [&](const Metric& metric) {
    return by_trial ? Pairs{heights(a.curves[0], metric), heights(b.curves[0], metric)}
                    : Pairs{mean_heights(a, metric), mean_heights(b, metric)};
  });
  return result;
}

std::vector<std::string> paths_of(const StudyNames& names) {
  std::vector<std::string> paths;
  for (const RunGroup& group : names.groups) {
    for (const auto& path : group.paths) paths.push_back(path.string());
  }
  return paths;
}

std::vector<double> row_of(const StudyNames& names, const Measurement& measurement) {
  std::vector<double> row = {static_cast<double>(measurement.run)};
  if (names.by_cluster) {
    row.insert(row.end(),
               {static_cast<double>(measurement.cluster), measurement.control ? 1.0 : 0.0});
  }
  row.push_back(measurement.level);
  return row;
}

std::vector<std::string> first_columns(const StudyNames& names) {
  std::vector<std::string> columns = {"run"};
  if (names.by_cluster) columns.insert(columns.end(), {"cluster", "control"});
  columns.emplace_back(level_name(names.perturbation));
  return columns;
}

}  // namespace

io::Table silencing_table(const StudyNames& names, const std::vector<Measurement>& measured) {
  io::Table table{first_columns(names), {}};
  table.columns.insert(table.columns.end(), {"trial", "seed", "neurons", "loss"});
  if (names.classifies) table.columns.emplace_back("accuracy");
  for (const Measurement& measurement : measured) {
    std::vector<double> row = row_of(names, measurement);
    row.insert(row.end(), {static_cast<double>(measurement.trial), static_cast<double>(names.seed),
                           static_cast<double>(measurement.neurons), measurement.loss});
    if (names.classifies) row.push_back(measurement.accuracy);
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::vector<Measurement> read_measurements(const io::Table& table, const StudyNames& names,
                                           const std::vector<Measurement>& plan,
                                           const std::string& file) {
  const io::Table empty = silencing_table(names, {});
  require(table.columns == empty.columns, ErrorKind::data, "{}: found columns {}, expected {}",
          file, fmt::join(table.columns, ","), fmt::join(empty.columns, ","));
  require(table.rows.size() <= plan.size(), ErrorKind::data,
          "{}: found {} rows, expected at most {}", file, table.rows.size(), plan.size());
  std::vector<Measurement> measured(plan.begin(),
                                    plan.begin() + static_cast<std::ptrdiff_t>(table.rows.size()));
  const std::size_t results = names.classifies ? 2 : 1;
  for (std::size_t i = 0; i < measured.size(); ++i) {
    const std::vector<double>& row = table.rows[i];
    const std::size_t at = row.size() - results;
    measured[i].loss = row[at];
    if (names.classifies) measured[i].accuracy = row[at + 1];
    const bool possible = measured[i].accuracy >= 0 && measured[i].accuracy <= 1;
    require(possible && silencing_table(names, {measured[i]}).rows[0] == row, ErrorKind::data,
            "{}: row {} is not what this study measures there; remove the file to measure again",
            file, i + 1);
  }
  return measured;
}

io::Table summary_table(const StudyNames& names, const std::vector<Measurement>& measured) {
  io::Table table{first_columns(names), {}};
  table.columns.insert(table.columns.end(), {"neurons", "trials"});
  const std::vector<SilencingCurve> curves = curves_of(measured);
  std::vector<const char*> parts = {"mean", "sd", "low", "high"};
  // A single value has no spread, and a table has no cell for that.
  const bool spread = !curves.empty() && curves.front().front().trials.size() >= 2;
  if (!spread) parts.resize(1);
  for (const Metric& metric : metrics_of(names)) {
    for (const char* part : parts) {
      table.columns.push_back(fmt::format("{}_{}", metric.name, part));
    }
  }
  for (const SilencingCurve& curve : curves) {
    for (const Point& point : curve) {
      std::vector<double> row = row_of(names, point.first);
      row.insert(row.end(), {static_cast<double>(point.first.neurons),
                             static_cast<double>(point.trials.size())});
      for (const Metric& metric : metrics_of(names)) {
        const Estimate values =
            estimate(point.values(metric), stream_of(names, key_of(point.first, metric)));
        row.push_back(values.mean);
        if (!spread) continue;
        row.insert(row.end(), {values.spread->sd, values.spread->low, values.spread->high});
      }
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

std::string Estimate::text(std::string_view plus_minus, bool percent) const {
  constexpr std::int64_t kMinForInterval = 5;
  const auto number = [&](double value) {
    return percent ? fmt::format("{:.2f}", 100 * value) : fmt::format("{:.4f}", value);
  };
  std::string text = number(mean);
  if (spread) text += fmt::format(" {} {}", plus_minus, number(spread->sd));
  if (percent) text += " %";
  if (spread && count >= kMinForInterval) {
    text += fmt::format(" [{}, {}]", number(spread->low), number(spread->high));
  }
  return text;
}

SilencingSummary silencing_summary(const StudyNames& names,
                                   const std::vector<Measurement>& measured) {
  const std::vector<SilencingCurve> curves = curves_of(measured);
  const std::vector<std::string> paths = paths_of(names);
  SilencingSummary result;
  result.level_name = level_name(names.perturbation);
  result.by_cluster = names.by_cluster;
  for (const SilencingCurve& curve : curves) {
    result.runs.push_back(summary_of(names, curve, paths));
  }
  // Clusters of different runs are not the same clusters.
  if (names.by_cluster) return result;
  const std::vector<Group> groups = groups_of(names, curves);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    result.groups.push_back(summary_of(names, groups[i]));
    for (std::size_t j = i + 1; j < groups.size(); ++j) {
      result.comparisons.push_back(compare(names, groups[i], groups[j]));
    }
  }
  return result;
}

}  // namespace afterspike::analysis
