#include "afterspike/checkpoint/run_directory.hpp"

#include <vector>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/atomic.hpp"
#include "afterspike/io/bytes.hpp"

namespace afterspike::checkpoint {
namespace {

namespace fs = std::filesystem;

}  // namespace

fs::path RunDirectory::place(std::int64_t step) const {
  const std::string name = fmt::format("step-{:09}", step);
  fs::path free = path_ / "checkpoints" / name;
  for (int again = 2; fs::exists(free); ++again) {
    free.replace_filename(fmt::format("{}-{}", name, again));
  }
  return free;
}

std::optional<fs::path> RunDirectory::named(const char* file) const {
  if (!fs::exists(path_ / file)) return std::nullopt;
  const auto bytes = io::read_file(path_ / file, ErrorKind::checkpoint);
  std::string name(bytes.begin(), bytes.end());
  while (!name.empty() && name.back() == '\n') name.pop_back();
  fs::path target = path_ / "checkpoints" / name;
  require(!name.empty() && name.find('/') == std::string::npos && fs::is_directory(target),
          ErrorKind::checkpoint, "{}: it names the checkpoint '{}', which is not there",
          (path_ / file).string(), name);
  return target;
}

std::optional<fs::path> RunDirectory::latest() const {
  return named("latest");
}
std::optional<fs::path> RunDirectory::best() const {
  return named("best");
}

void RunDirectory::set_latest(const fs::path& checkpoint) const {
  io::write_file(path_ / "latest", checkpoint.filename().string() + "\n");
}

void RunDirectory::set_best(const fs::path& checkpoint) const {
  io::write_file(path_ / "best", checkpoint.filename().string() + "\n");
}

void RunDirectory::prune() const {
  const auto keep_latest = latest();
  const auto keep_best = best();
  std::error_code ignored;  // What cannot be removed does no harm.
  for (const auto& entry : fs::directory_iterator(path_ / "checkpoints", ignored)) {
    if (entry.path() != keep_latest && entry.path() != keep_best) {
      fs::remove_all(entry.path(), ignored);
    }
  }
}

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
  fail(ErrorKind::checkpoint,
       "{}: neither a run nor a checkpoint: there is no 'latest' and no 'manifest.json'",
       path.string());
}

}  // namespace afterspike::checkpoint
