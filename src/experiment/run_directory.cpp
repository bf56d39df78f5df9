#include "afterspike/experiment/run_directory.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/atomic.hpp"
#include "afterspike/io/bytes.hpp"

namespace afterspike::experiment {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolder = "checkpoints";
constexpr std::string_view kStep = "step-";

/// Removes one digit or more from the front of `text`; returns false if there is none.
bool take_digits(std::string_view& text) {
  const auto count = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(count);
  return count > 0;
}

/// Returns whether place() makes such a name.
bool is_place(std::string_view name) {
  if (!name.starts_with(kStep)) return false;
  name.remove_prefix(kStep.size());
  if (!take_digits(name)) return false;
  if (!name.starts_with('-')) return name.empty();
  name.remove_prefix(1);
  return take_digits(name) && name.empty();
}

/// Returns whether this is a checkpoint, or a remainder of interrupted writing. Everything else
/// belongs to the user.
bool is_ours(const fs::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  const bool leftover = name.starts_with(fmt::format(".{}", kStep)) && name.ends_with(".tmp");
  return (leftover || is_place(name)) && entry.symlink_status().type() == fs::file_type::directory;
}

}  // namespace

fs::path RunDirectory::place(std::int64_t step) const {
  const std::string name = fmt::format("{}{:09}", kStep, step);
  fs::path free = path_ / kFolder / name;
  for (int again = 2; fs::exists(free); ++again) {
    free.replace_filename(fmt::format("{}-{}", name, again));
  }
  return free;
}

std::optional<fs::path> RunDirectory::named(const char* file) const {
  std::optional<std::string> before;
  for (;;) {
    if (!fs::exists(path_ / file)) return std::nullopt;
    const auto bytes = io::read_file(path_ / file, ErrorKind::checkpoint);
    std::string name(bytes.begin(), bytes.end());
    while (!name.empty() && name.back() == '\n') name.pop_back();
    fs::path target = path_ / kFolder / name;
    if (!name.empty() && name.find('/') == std::string::npos && fs::is_directory(target)) {
      return target;
    }
    // A training that is under way may have named another one and removed this one meanwhile.
    require(name != before, ErrorKind::checkpoint,
            "{}: it names the checkpoint '{}', which is not there", (path_ / file).string(), name);
    before = std::move(name);
  }
}

std::optional<fs::path> RunDirectory::latest() const {
  return named("latest");
}
std::optional<fs::path> RunDirectory::best() const {
  return named("best");
}

std::vector<fs::path> RunDirectory::checkpoints() const {
  // Compares numbers of any length: the longer one is larger.
  const auto number = [](std::string digits) {
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
    return std::pair(digits.size(), digits);
  };
  const auto key = [&](const fs::path& path) {
    const std::string name = path.filename().string().substr(kStep.size());
    const auto again = std::min(name.find('-'), name.size());
    return std::pair(number(name.substr(0, again)),
                     number(name.substr(std::min(again + 1, name.size()))));
  };
  std::vector<fs::path> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(path_ / kFolder, none)) {
    if (is_place(entry.path().filename().string()) && entry.is_directory()) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end(),
            [&](const fs::path& a, const fs::path& b) { return key(a) < key(b); });
  return found;
}

void RunDirectory::set_latest(const fs::path& checkpoint) const {
  io::replace_file(path_ / "latest", checkpoint.filename().string() + "\n");
}

void RunDirectory::set_best(const fs::path& checkpoint) const {
  io::replace_file(path_ / "best", checkpoint.filename().string() + "\n");
}

void RunDirectory::prune() const {
  const auto keep_latest = latest();
  const auto keep_best = best();
  std::error_code ignored;  // A remainder does no harm.
  for (const auto& entry : fs::directory_iterator(path_ / kFolder, ignored)) {
    if (is_ours(entry) && entry.path() != keep_latest && entry.path() != keep_best) {
      fs::remove_all(entry.path(), ignored);
    }
  }
}

namespace {

/// Checkpoints that are entries of a folder, by name.
std::vector<fs::path> checkpoints_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const bool hidden = entry.path().filename().string().starts_with('.');
    if (!hidden && fs::exists(entry.path() / "manifest.json")) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

fs::path resolve(const fs::path& path) {
  if (fs::exists(path / "manifest.json")) return path;
  const RunDirectory run(path);
  if (const auto best = run.best()) return *best;
  if (const auto latest = run.latest()) return *latest;
  require(fs::exists(path), ErrorKind::checkpoint, "{}: there is no such run or checkpoint",
          path.string());
  require(!fs::exists(path / "seeds.json"), ErrorKind::checkpoint,
          "{}: this holds runs of several seeds; name one of them, such as {}", path.string(),
          (path / "seed-1").string());
  require(
      !fs::exists(path / "speakers.json"), ErrorKind::checkpoint,
      "{}: this holds runs of several lists of speakers; name one of its folders 'speakers-...'",
      path.string());
  require(!fs::exists(path / "run.json"), ErrorKind::checkpoint,
          "{}: the run has no checkpoint yet; the training saves one after each epoch and at least"
          " every --checkpoint-interval",
          path.string());
  const std::vector<fs::path> inside = checkpoints_in(path);
  if (inside.size() == 1) return inside.front();
  if (!inside.empty()) {
    fail(ErrorKind::checkpoint,
         "{}: holds {} checkpoints; name one of them, such as {}, or the run", path.string(),
         inside.size(), inside.front().string());
  }
  fail(ErrorKind::checkpoint,
       "{}: neither a run nor a checkpoint: there is no 'latest' and no 'manifest.json'",
       path.string());
}

fs::path run_of(const fs::path& checkpoint) {
  fs::path plain = fs::absolute(checkpoint).lexically_normal();
  if (!plain.has_filename()) plain = plain.parent_path();
  const fs::path folder = plain.parent_path();
  return folder.filename() == kFolder ? folder.parent_path() : folder;
}

fs::path resolve_run(const fs::path& path) {
  if (!fs::exists(path / "manifest.json")) return path;
  const fs::path checkpoint = fs::canonical(path), folder = checkpoint.parent_path();
  const RunDirectory run(folder.parent_path());
  const auto latest = folder.filename() == kFolder ? run.latest() : std::nullopt;
  require(latest.has_value(), ErrorKind::checkpoint,
          "{}: a checkpoint that is in no run with a 'latest', expected a run or its latest "
          "checkpoint",
          path.string());
  require(fs::equivalent(*latest, checkpoint), ErrorKind::checkpoint,
          "{}: not the latest checkpoint of its run, expected that, '{}', or the run: what was "
          "trained later would be lost",
          path.string(), latest->filename().string());
  return run.path();
}

}  // namespace afterspike::experiment
