#include "afterspike/train/observers.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/base/log.hpp"
#include "afterspike/experiment/checkpoint.hpp"
#include "afterspike/io/atomic.hpp"
#include "afterspike/io/bytes.hpp"
#include "clock.hpp"

namespace afterspike::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMetricsFiles[] = {"metrics.jsonl", "metrics.csv"};

constexpr double kRedrawInterval_s = 0.2;
constexpr double kPlainInterval_s = 30;

/// "1:02:03", "2:03" or "12 s".
std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

double mean_loss(const tasks::Tally& tally) {
  return tally.samples > 0 ? tally.loss / static_cast<double>(tally.samples) : 0;
}

double samples_per_s(const EpochReport& report) {
  return report.epoch_s > 0 ? static_cast<double>(report.timed_samples) / report.epoch_s : 0;
}

std::string tally_text(const tasks::Task& task, const tasks::Tally& tally) {
  std::string text = fmt::format("loss {:.5g}", mean_loss(tally));
  for (const tasks::Measure& measure : task.measures(tally)) {
    text += measure.form == tasks::Measure::Form::fraction
                ? fmt::format(", {:.2f} %", 100 * measure.value)
                : fmt::format(", {} {:.4g}", measure.name, measure.value);
  }
  return text;
}

void add_split(io::Json& row, const tasks::Task& task, std::string_view split,
               const tasks::Tally& tally) {
  row[fmt::format("{}_loss", split)] = mean_loss(tally);
  for (const tasks::Measure& measure : task.measures(tally)) {
    row[fmt::format("{}_{}", split, measure.name)] = measure.value;
  }
}

/// Returns a row of the metrics files, in column order.
io::Json metrics_row(const Trainer& trainer, const EpochReport& report) {
  io::Json row = {
      {"epoch", report.epoch}, {"step", report.step}, {"learning_rate", report.learning_rate}};
  add_split(row, trainer.task(), "train", report.train);
  if (report.validation.samples > 0) {
    add_split(row, trainer.task(), "validation", report.validation);
  }
  if (report.sigma_mV > 0) row["sigma_mV"] = report.sigma_mV;
  row["epoch_s"] = report.epoch_s;
  row["samples_per_s"] = samples_per_s(report);
  row["wall_s"] = trainer.progress().wall_s;
  return row;
}

/// A row of metrics.jsonl; null for a damaged one.
io::Json row_of(const std::string& line) {
  try {
    return io::parse_json(line, "metrics.jsonl", ErrorKind::data);
  } catch (const Error&) {
    return {};
  }
}

/// Keeps the lines for which keep(line) holds.
template <typename Keep>
void filter_lines(const fs::path& path, Keep keep) {
  if (!fs::exists(path)) return;
  const auto bytes = io::read_file(path);
  std::istringstream lines(std::string(bytes.begin(), bytes.end()));
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    if (lines.eof()) break;  // No line end: the program was killed while writing it.
    if (keep(line)) kept.append(line).append(1, '\n');
  }
  io::replace_file(path, kept);
}

/// Adds the new names of a row; returns whether there were any.
bool add_names(const io::Json& row, std::vector<std::string>& columns) {
  const std::size_t before = columns.size();
  for (const auto& [name, value] : row.items()) {
    if (std::find(columns.begin(), columns.end(), name) == columns.end()) columns.push_back(name);
  }
  return columns.size() > before;
}

std::string csv_header(const std::vector<std::string>& columns) {
  return fmt::format("{}", fmt::join(columns, ","));
}

std::string csv_line(const io::Json& row, const std::vector<std::string>& columns) {
  std::vector<std::string> cells;
  for (const std::string& name : columns) {
    const auto found = row.find(name);
    cells.push_back(found == row.end() || found->is_null() ? "" : found->dump());
  }
  return fmt::format("{}", fmt::join(cells, ","));
}

/// Reads the rows of metrics.jsonl, and their columns.
std::vector<io::Json> read_rows(const fs::path& directory, std::vector<std::string>& columns) {
  std::ifstream file(directory / "metrics.jsonl");
  std::vector<io::Json> rows;
  for (std::string line; std::getline(file, line);) {
    rows.push_back(io::parse_json(line, (directory / "metrics.jsonl").string(), ErrorKind::data));
    add_names(rows.back(), columns);
  }
  return rows;
}

/// Rewrites metrics.csv from metrics.jsonl; returns its columns. Without an epoch there is no
/// table; an existing one is kept under another name.
std::vector<std::string> rebuild_csv(const fs::path& directory) {
  std::vector<std::string> columns;
  const std::vector<io::Json> rows = read_rows(directory, columns);
  if (rows.empty()) {
    std::error_code ignored;
    fs::rename(directory / "metrics.csv", directory / "metrics.old.csv", ignored);
    return columns;
  }
  std::string text = csv_header(columns) + '\n';
  for (const io::Json& row : rows) text += csv_line(row, columns) + '\n';
  io::replace_file(directory / "metrics.csv", text);
  return columns;
}

/// "2 to 4, 7" for sorted numbers.
std::string ranges_text(const std::vector<std::int64_t>& numbers) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0, end = 0; begin < numbers.size(); begin = end) {
    while (++end < numbers.size() && numbers[end] == numbers[end - 1] + 1) continue;
    parts.push_back(end - begin == 1 ? fmt::format("{}", numbers[begin])
                                     : fmt::format("{} to {}", numbers[begin], numbers[end - 1]));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// Warns of epochs up to `last` that have no row, as after a loss of power on a file system that
/// does not keep what was flushed.
void warn_of_gaps(const fs::path& directory, std::int64_t last) {
  std::vector<std::string> columns;
  std::set<std::int64_t> there;
  for (const io::Json& row : read_rows(directory, columns)) {
    if (row.contains("epoch") && row["epoch"].is_number_integer())
      there.insert(row["epoch"].get<std::int64_t>());
  }
  std::vector<std::int64_t> missing;
  for (std::int64_t epoch = 1; epoch <= last; ++epoch) {
    if (!there.contains(epoch)) missing.push_back(epoch);
  }
  if (missing.empty()) return;
  log::warning(
      "{}: {} missing: epoch{} {}. The training is not affected; metrics and report lack "
      "them.",
      (directory / "metrics.jsonl").string(), missing.size() == 1 ? "a row is" : "rows are",
      missing.size() == 1 ? "" : "s", ranges_text(missing));
}

}  // namespace

void ProgressPrinter::clear_line() {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
  drawn_ = false;
}

void ProgressPrinter::on_step(const Trainer& trainer) {
  const double now = now_s();
  const Progress& progress = trainer.progress();
  if (first_s_ < 0) {
    first_s_ = last_s_ = now;
    first_step_ = progress.step;
    return;
  }
  if (now - last_s_ < (terminal_ ? kRedrawInterval_s : kPlainInterval_s)) return;
  last_s_ = now;
  const double rate = static_cast<double>(progress.step - first_step_) / (now - first_s_);
  const double left = static_cast<double>(trainer.total_steps() - progress.step) / rate;
  const std::string line =
      fmt::format("epoch {}/{}  step {}/{}  {}  {:.1f} steps/s  {} to go", progress.epoch + 1,
                  trainer.options().epochs, progress.step_in_epoch, trainer.steps_per_epoch(),
                  tally_text(trainer.task(), progress.running), rate, duration_text(left));
  if (!terminal_) return log::info("{}", line);
  std::fputs(fmt::format("\r\x1b[K{}", line).c_str(), stderr);
  drawn_ = true;
}

void ProgressPrinter::on_epoch(const Trainer& trainer, const EpochReport& report) {
  const double now = now_s();
  // Limits the lines of thousands of short epochs.
  const bool last = report.epoch == trainer.options().epochs;
  if (now - last_s_ < kRedrawInterval_s && report.epoch_s < kRedrawInterval_s && !last) {
    ++skipped_;
    return;
  }
  last_s_ = now;
  if (skipped_ > 0 && !std::exchange(told_of_skipped_, true)) {
    log::info("epochs are short: some are not printed; metrics.csv has all of them");
  }
  skipped_ = 0;
  clear_line();
  std::string line = fmt::format("epoch {}/{}  train {}", report.epoch, trainer.options().epochs,
                                 tally_text(trainer.task(), report.train));
  if (report.validation.samples > 0) {
    line += fmt::format("  validation {}{}", tally_text(trainer.task(), report.validation),
                        !report.selected                     ? ""
                        : std::exchange(told_of_star_, true) ? " *"
                                                             : " * (best so far)");
  }
  log::info("{}  {:.3g} s, {:.0f} samples/s", line, report.epoch_s, samples_per_s(report));
}

void ProgressPrinter::on_end(const Trainer& /*trainer*/, End /*end*/) {
  clear_line();
}

MetricsFiles::MetricsFiles(fs::path directory, std::int64_t resumed_at_step, bool resumed,
                           std::int64_t epochs_before)
    : directory_(std::move(directory)),
      tensorboard_(directory_, resumed ? resumed_at_step + 1 : -1) {
  if (!resumed) return;
  filter_lines(directory_ / "metrics.jsonl", [&](const std::string& line) {
    const io::Json row = row_of(line);
    return row.is_object() && row.contains("step") && row["step"].is_number() &&
           row["step"].get<std::int64_t>() <= resumed_at_step;
  });
  columns_ = rebuild_csv(directory_);
  warn_of_gaps(directory_, epochs_before);
}

void MetricsFiles::on_epoch(const Trainer& trainer, const EpochReport& report) {
  const io::Json row = metrics_row(trainer, report);
  io::append_line(directory_ / "metrics.jsonl", row.dump());
  std::vector<std::pair<std::string, double>> scalars;
  for (const auto& [name, value] : row.items()) {
    if (name != "epoch" && name != "step") scalars.emplace_back(name, value.get<double>());
  }
  if (add_names(row, columns_)) {
    rebuild_csv(directory_);
  } else {
    io::append_line(directory_ / "metrics.csv", csv_line(row, columns_));
  }
  tensorboard_.add(report.step, scalars);
}

Checkpointer::Checkpointer(experiment::RunDirectory run, io::Json configuration, double interval_s,
                           std::int64_t saved_step)
    : run_(std::move(run)),
      configuration_(std::move(configuration)),
      interval_s_(interval_s),
      last_s_(now_s()),
      saved_step_(saved_step) {}

void Checkpointer::save(const Trainer& trainer, bool best) {
  require(fs::is_directory(run_.path()), ErrorKind::data,
          "'{}': the directory of the run was removed while it trained; nothing can be saved",
          run_.path().string());
  const std::int64_t step = trainer.progress().step;
  experiment::Checkpoint content;
  content.configuration = configuration_;
  content.progress = trainer.progress().to_json();
  content.parameters = experiment::describe_parameters(trainer.network());
  content.model = trainer.model();
  content.training = trainer.optimizer_state();
  const fs::path place = run_.place(step);
  // A resumed run keeps the rows up to its checkpoint: they must not be lost without it.
  for (const char* file : kMetricsFiles) io::flush_file(run_.path() / file);
  experiment::write_checkpoint(place, content);
  // In this order `latest` names a complete checkpoint after a crash in between.
  if (best) run_.set_best(place);
  run_.set_latest(place);
  run_.prune();
  saved_step_ = step;
  last_s_ = now_s();
}

void Checkpointer::on_step(const Trainer& trainer) {
  // At the end of an epoch on_epoch() follows, which has more information.
  if (trainer.progress().step_in_epoch == trainer.steps_per_epoch()) return;
  if (now_s() - last_s_ >= interval_s_) save(trainer, false);
}

void Checkpointer::on_epoch(const Trainer& trainer, const EpochReport& report) {
  const bool best = trainer.selects_best() && report.selected;
  if (best || now_s() - last_s_ >= interval_s_) save(trainer, best);
}

void Checkpointer::on_end(const Trainer& trainer, End /*end*/) {
  if (saved_step_ != trainer.progress().step) save(trainer, false);
}

}  // namespace afterspike::train
