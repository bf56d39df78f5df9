#include "outputs.hpp"

#include <algorithm>

#include "afterspike/base/error.hpp"

namespace afterspike::cli {
namespace {

namespace fs = std::filesystem;

/// Returns a path without links and trailing slash.
fs::path plain(const fs::path& path) {
  const fs::path whole = fs::weakly_canonical(io::follow_links(path));
  return whole.has_filename() ? whole : whole.parent_path();
}

/// Returns the run that `path`, a run or one of its checkpoints, belongs to.
fs::path whole_run(const fs::path& path) {
  const fs::path run = plain(path), above = run.parent_path();
  return above.filename() == "checkpoints" ? above.parent_path() : run;
}

bool lies_in(const fs::path& path, const fs::path& directory) {
  const auto [end, rest] =
      std::mismatch(directory.begin(), directory.end(), path.begin(), path.end());
  return end == directory.end();
}

}  // namespace

void require_free(const fs::path& out, bool force) {
  std::error_code ignored;
  require(!out.empty(), ErrorKind::usage, "--out: expected a name, found none");
  require(!io::is_stream(out), ErrorKind::usage,
          "--out: '{}' is a device or a pipe, expected the name of a file or directory",
          out.string());
  require(force || !fs::exists(out, ignored), ErrorKind::usage,
          "--out: '{}' exists already, expected a new name, or --force to replace it",
          out.string());
}

void require_outside(const fs::path& out, const fs::path& run) {
  require(!lies_in(plain(out), whole_run(run)), ErrorKind::usage,
          "--out: '{}' is in the directory of the run '{}', expected a place outside of it",
          out.string(), run.string());
}

void require_apart(const fs::path& out, const fs::path& run) {
  require_outside(out, run);
  require(!lies_in(whole_run(run), plain(out)), ErrorKind::usage,
          "--out: '{}' holds the run '{}', expected a place outside of it", out.string(),
          run.string());
}

void require_not_input(const fs::path& out, const fs::path& input) {
  const fs::path to = plain(out), from = plain(input);
  require(!lies_in(to, from) && !lies_in(from, to), ErrorKind::usage,
          "--out: '{}' is what is read, '{}', or a part of it; expected another place",
          out.string(), input.string());
}

}  // namespace afterspike::cli
