#include "afterspike/fetch/fetch.hpp"

#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/atomic.hpp"
#include "afterspike/io/lock.hpp"
#include "sources.hpp"

namespace afterspike::fetch {
namespace {

namespace fs = std::filesystem;
using datasets::DatasetEntry;
using datasets::FileSpec;

fs::path staging_of(const DatasetEntry& entry, const FetchOptions& options) {
  return options.data_directory / fmt::format(".fetch-{}", entry.name);
}

/// A directory for unverified files, beside the set's. Only one fetch at a time uses it: it locks
/// the data directory, and a crash releases the lock. (A file system without locks goes without.)
class Staging {
 public:
  Staging(const DatasetEntry& entry, const FetchOptions& options)
      : path_(staging_of(entry, options)), lock_(lock(options)) {
    fs::remove_all(path_);  // left by a fetch that was interrupted
    fs::create_directory(path_);
  }
  ~Staging() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  const fs::path& path() const { return path_; }

 private:
  static io::Lock lock(const FetchOptions& options) {
    fs::create_directories(options.data_directory);
    if (auto lock = io::Lock::try_take(options.data_directory)) return std::move(*lock);
    if (options.report) options.report("waiting for another fetch to end");
    return io::Lock::wait(options.data_directory);
  }

  fs::path path_;
  io::Lock lock_;
};

bool is_verified(const FileSpec& file, const fs::path& path) {
  try {
    if (!fs::is_regular_file(path)) return false;
    datasets::verify_file(file, path);
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::data) throw;
    return false;
  }
}

/// Returns the files of the set that are missing in the folder or invalid.
std::vector<FileSpec> missing_files(const DatasetEntry& entry, const fs::path& folder) {
  std::vector<FileSpec> missing;
  for (const FileSpec& file : entry.files) {
    const fs::path plain = folder / file.name;
    // If both exist, the plain file is the one that is read.
    const bool use_plain = file.known_by_form() || fs::is_regular_file(plain);
    const fs::path path = use_plain ? plain : folder / fmt::format("{}.gz", file.name);
    if (!is_verified(file, path)) missing.push_back(file);
  }
  return missing;
}

bool is_gzipped(const fs::path& path) {
  std::ifstream input(path, std::ios::binary);
  return input.get() == 0x1f && input.get() == 0x8b;
}

/// Gives a verified file its final name.
void publish(const fs::path& staged, const fs::path& folder, const FileSpec& file) {
  const fs::path plain = folder / file.name;
  const fs::path gzipped = folder / fmt::format("{}.gz", file.name);
  fs::create_directories(folder);
  if (file.known_by_form()) {
    io::publish_file(staged, plain);
    return;
  }
  const bool packed = is_gzipped(staged);
  io::publish_file(staged, packed ? gzipped : plain);
  fs::remove(packed ? plain : gzipped);  // It was invalid; otherwise it would not be missing.
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// Obtains a file and gives it its final name if it is valid.
void obtain(const Provider& provider, const FileSpec& file, const fs::path& staging,
            const fs::path& folder) {
  const fs::path staged = staging / file.name;
  fs::remove(staged);
  const std::string origin = provider.obtain(file, staged);
  try {
    datasets::verify_file(file, staged);
  } catch (const Error& error) {
    // Messages name the origin of the bad file, not the staged copy.
    throw Error(error.kind(), replaced(error.what(), staged.string(), origin));
  }
  publish(staged, folder, file);
}

/// A fetch in progress: the missing files, and the outcome of each place.
class Attempt {
 public:
  Attempt(const FetchOptions& options, fs::path staging, fs::path folder,
          std::vector<FileSpec> missing)
      : options_(options),
        staging_(std::move(staging)),
        folder_(std::move(folder)),
        missing_(std::move(missing)) {}

  bool done() const { return missing_.empty(); }
  const std::vector<FileSpec>& missing() const { return missing_; }
  const std::vector<std::string>& served() const { return served_; }
  const std::vector<std::string>& failures() const { return failures_; }

  void try_from(const Provider& provider) {
    report(fmt::format("trying {}", provider.name));
    const std::size_t before = missing_.size();
    std::vector<FileSpec> still_missing;
    bool given_up = false;
    for (const FileSpec& file : missing_) {
      if (given_up || !serves(provider, file)) {
        still_missing.push_back(file);
        given_up = provider.one_failure_ends;
      }
    }
    missing_ = std::move(still_missing);
    if (missing_.size() < before) served_.push_back(provider.name);
  }

 private:
  bool serves(const Provider& provider, const FileSpec& file) {
    std::string reason;
    try {
      obtain(provider, file, staging_, folder_);
      report(fmt::format("{}: {}: verified", provider.name, file.name));
      return true;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::internal) throw;
      reason = error.what();
    } catch (const fs::filesystem_error& error) {
      reason = error.what();
    }
    failures_.push_back(fmt::format("{}: {}: {}", provider.name, file.name, reason));
    report(failures_.back());
    return false;
  }

  void report(const std::string& line) const {
    if (options_.report) options_.report(line);
  }

  const FetchOptions& options_;
  fs::path staging_, folder_;
  std::vector<FileSpec> missing_;
  std::vector<std::string> served_, failures_;
};

[[noreturn]] void fail_without(const DatasetEntry& entry, const Attempt& attempt,
                               const fs::path& folder) {
  std::vector<std::string_view> names;
  for (const FileSpec& file : attempt.missing()) names.push_back(file.name);
  const std::string tried = attempt.failures().empty()
                                ? "it ships with afterspike and has no other source"
                                : fmt::format("{}", fmt::join(attempt.failures(), "\n    "));
  fail(ErrorKind::data,
       "data set '{0}' cannot be fetched; tried:\n"
       "    {1}\n"
       "Where a folder of yours holds its files, `afterspike data fetch {0} --from FOLDER` checks\n"
       "and copies them; it takes packed ones too. They belong into '{2}':\n"
       "    {3}",
       entry.name, tried, folder.string(), fmt::join(names, " "));
}

FetchResult fetch_missing(const DatasetEntry& entry, const FetchOptions& options) {
  const fs::path folder = options.data_directory / entry.name;
  const Staging staging(entry, options);
  Attempt attempt(options, staging.path(), folder, missing_files(entry, folder));
  if (attempt.done()) {  // another fetch was faster
    return {.already_there = true, .source = fmt::format("directory {}", folder.string())};
  }
  for (const Provider& provider : providers(entry, options, staging.path())) {
    if (!attempt.done()) attempt.try_from(provider);
  }
  if (!attempt.done()) fail_without(entry, attempt, folder);
  return {.already_there = false,
          .source = fmt::format("{}", fmt::join(attempt.served(), " and "))};
}

}  // namespace

FetchResult fetch(const DatasetEntry& entry, const FetchOptions& options) {
  require(!options.data_directory.empty(), ErrorKind::config,
          "the data directory is empty, expected a path");
  try {
    const bool interrupted = fs::exists(staging_of(entry, options));
    const fs::path folder = datasets::directory(entry, options.data_directory);
    if (!interrupted && missing_files(entry, folder).empty()) {
      return {.already_there = true, .source = fmt::format("directory {}", folder.string())};
    }
    return fetch_missing(entry, options);
  } catch (const fs::filesystem_error& error) {
    fail(ErrorKind::data, "data set '{}' cannot be fetched: {}", entry.name, error.what());
  }
}

}  // namespace afterspike::fetch
