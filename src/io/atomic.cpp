#include "afterspike/io/atomic.hpp"

#include <unistd.h>

#include <atomic>
#include <optional>
#include <string>
#include <system_error>

#include "afterspike/base/error.hpp"
#include "file.hpp"

namespace afterspike::io {
namespace {

namespace fs = std::filesystem;

/// Throws if the file operation on `path` failed.
void check(const std::error_code& error, const fs::path& path, std::string_view action) {
  require(!error, ErrorKind::data, "'{}' cannot be {}: {}", path.string(), action, error.message());
}

/// Returns a name that no other writer uses, in this process or another on this machine.
std::string unique_name(std::string_view stem) {
  static std::atomic<unsigned> count = 0;
  return fmt::format("{}.{}-{}.tmp", stem, ::getpid(), count++);
}

void move_to(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  check(error, to, "put in place");
}

bool is_there(const fs::path& path) {
  std::error_code error;
  const fs::file_type type = fs::symlink_status(path, error).type();
  if (type == fs::file_type::not_found) return false;
  check(error, path, "looked up");
  return true;
}

void require_free(const fs::path& path) {
  require(!is_there(path), ErrorKind::data, "'{}' exists already, expected a name that is free",
          path.string());
}

/// Returns a hidden name beside `path` that no other writer uses.
fs::path hidden_beside(const fs::path& path) {
  return path.parent_path() / unique_name(fmt::format(".{}", path.filename().string()));
}

/// Returns "runs/a" for "runs/a/".
fs::path without_slash(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

/// Returns whether `path` is in a directory where the kernel lists open files; its links name files
/// that must not be replaced.
bool is_descriptor(const fs::path& path) {
  std::error_code error;
  const fs::path folder = fs::canonical(path.parent_path(), error);
  return !error && folder.filename() == "fd" && folder.native().starts_with("/proc/");
}

/// Returns the target of the link at `path`; nullopt if it is not a link.
std::optional<fs::path> link_target(const fs::path& path) {
  std::error_code error;
  const fs::path target = fs::read_symlink(path, error);
  if (error) return std::nullopt;
  return path.parent_path() / target;
}

/// Flushes every file and directory below `directory`, and `directory` itself.
void flush_tree(const fs::path& directory) {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->is_directory()) flush_directory(entry->path(), ErrorKind::data);
    if (entry->is_regular_file()) File(entry->path(), File::Mode::read, ErrorKind::data).flush();
  }
  check(error, directory, "listed");
  flush_directory(directory, ErrorKind::data);
}

}  // namespace

fs::path follow_links(fs::path path) {
  constexpr int kMaxLinks = 40;  // The kernel's own limit.
  const fs::path given = path;
  for (int links = 0; const auto target = link_target(path); ++links) {
    require(links < kMaxLinks, ErrorKind::data, "'{}': its links lead in a circle", given.string());
    path = *target;
  }
  return path;
}

bool is_stream(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status) || fs::is_directory(status)) return false;
  if (!fs::is_regular_file(status)) return true;
  for (std::optional<fs::path> link = path; link; link = link_target(*link)) {
    if (is_descriptor(*link)) return true;
  }
  return false;
}

void write_file(const fs::path& given, std::string_view content) {
  if (is_stream(given)) return File(given, File::Mode::append, ErrorKind::data).write(content);
  replace_file(follow_links(given), content);
}

void replace_file(const fs::path& path, std::string_view content) {
  // Unique, so that two writers of the same path do not mix their contents.
  const fs::path beside = path.parent_path() / unique_name(path.filename().string());
  try {
    {
      File file(beside, File::Mode::create, ErrorKind::data);
      file.write(content);
      file.flush();
    }
    move_to(beside, path);
  } catch (const Error& error) {
    std::error_code ignored;
    fs::remove(beside, ignored);
    throw error.within(fmt::format("'{}' cannot be written", path.string()));
  }
  flush_directory(path.parent_path(), ErrorKind::data);
}

void append_line(const fs::path& path, std::string_view line) {
  std::string text(line);
  text += '\n';
  File(path, File::Mode::extend, ErrorKind::data).write(text);
}

void flush_file(const fs::path& path) {
  if (is_there(path)) File(path, File::Mode::read, ErrorKind::data).flush();
}

void publish_file(const fs::path& from, const fs::path& to) {
  File(from, File::Mode::read, ErrorKind::data).flush();
  move_to(from, to);
  flush_directory(to.parent_path(), ErrorKind::data);
}

AtomicFile::AtomicFile(const fs::path& path)
    : path_(follow_links(path)), staging_(hidden_beside(path_)) {
  require(!is_stream(path_), ErrorKind::data, "'{}' is a device or a pipe, expected a file",
          path.string());
}

AtomicFile::~AtomicFile() {
  std::error_code ignored;
  fs::remove(staging_, ignored);
}

void AtomicFile::commit() {
  publish_file(staging_, path_);
}

AtomicDirectory::AtomicDirectory(const fs::path& path) : path_(follow_links(without_slash(path))) {
  require_free(path_);
  staging_ = hidden_beside(path_);
  std::error_code error;
  fs::create_directories(staging_, error);
  check(error, staging_, "created");
}

AtomicDirectory::~AtomicDirectory() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(staging_, ignored);
}

void AtomicDirectory::commit() {
  require(!committed_, ErrorKind::internal, "'{}' is committed twice", path_.string());
  flush_tree(staging_);
  // A rename would replace an empty directory.
  require_free(path_);
  move_to(staging_, path_);
  committed_ = true;
  flush_directory(path_.parent_path(), ErrorKind::data);
}

SetAside::SetAside(const fs::path& path) : path_(follow_links(without_slash(path))) {
  if (!is_there(path_) || is_stream(path_)) return;
  std::error_code error;
  const fs::path here = fs::current_path(error),
                 inside = here.lexically_relative(fs::weakly_canonical(path_, error));
  require(!fs::is_directory(path_, error) || inside.empty() || *inside.begin() == "..",
          ErrorKind::data,
          "'{}' is a directory that the program works in, expected another to"
          " replace",
          path_.string());
  const fs::path aside = hidden_beside(path_);
  move_to(path_, aside);
  aside_ = aside;
}

SetAside::~SetAside() {
  std::error_code ignored;
  if (!aside_.empty() && !fs::exists(path_, ignored)) fs::rename(aside_, path_, ignored);
}

void SetAside::discard() {
  if (aside_.empty()) return;
  std::error_code error;
  fs::remove_all(aside_, error);
  check(error, aside_, "removed");
  aside_.clear();
}

}  // namespace afterspike::io
