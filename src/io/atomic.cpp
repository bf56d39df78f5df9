#include "afterspike/io/atomic.hpp"

#include <unistd.h>

#include <atomic>
#include <string>
#include <system_error>

#include "afterspike/base/error.hpp"
#include "file.hpp"

namespace afterspike::io {
namespace {

namespace fs = std::filesystem;

/// Throws unless the file operation on `path` went well.
void check(const std::error_code& error, const fs::path& path, std::string_view action) {
  require(!error, ErrorKind::data, "'{}' cannot be {}: {}", path.string(), action, error.message());
}

/// Of no other writer, in this process or another on this machine.
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

/// Flushes every file and directory below `directory`, and itself.
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

void write_file(const fs::path& path, std::string_view content) {
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

void publish_file(const fs::path& from, const fs::path& to) {
  File(from, File::Mode::read, ErrorKind::data).flush();
  move_to(from, to);
  flush_directory(to.parent_path(), ErrorKind::data);
}

AtomicDirectory::AtomicDirectory(fs::path path) : path_(std::move(path)) {
  if (!path_.has_filename()) path_ = path_.parent_path();  // "runs/a/"
  require_free(path_);
  staging_ = path_.parent_path() / unique_name(fmt::format(".{}", path_.filename().string()));
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

}  // namespace afterspike::io
