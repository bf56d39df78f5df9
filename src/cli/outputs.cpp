#include "outputs.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <string>

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

bool matches_any(const std::string& name, std::string_view patterns) {
  std::istringstream words{std::string(patterns)};
  for (std::string pattern; words >> pattern;) {
    if (::fnmatch(pattern.c_str(), name.c_str(), 0) == 0) return true;
  }
  return false;
}

bool is_hdf5(const fs::path& path) {
  std::array<char, 8> begin{};
  std::ifstream(path, std::ios::binary).read(begin.data(), begin.size());
  return std::string_view(begin.data(), begin.size()) == "\x89HDF\r\n\x1a\n";
}

void require_own_files(const fs::path& directory, std::string_view files, const fs::path& out) {
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_directory() && !entry.is_symlink()) continue;
    const std::string name = entry.path().lexically_relative(directory).string();
    require(
        entry.is_regular_file() && !entry.is_symlink() && matches_any(name, files),
        ErrorKind::usage,
        "--out: '{}' has '{}', which this command does not write. Move it, or choose a new name",
        out.string(), name);
  }
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

void require_replaceable(const fs::path& out, std::string_view files) {
  const fs::path path = io::follow_links(out);
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return;
  const bool is_directory = fs::is_directory(path);
  require(is_directory != files.empty(), ErrorKind::usage,
          "--out: '{}' is a {}, and this command writes a {}. Choose a new name", out.string(),
          is_directory ? "directory" : "file", files.empty() ? "file" : "directory");
  if (is_directory) return require_own_files(path, files, out);
  require(is_hdf5(path), ErrorKind::usage,
          "--out: '{}' is no HDF5 file, which this command writes. Choose a new name",
          out.string());
}

}  // namespace afterspike::cli
