#include "file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace afterspike::io {
namespace {

int flags_of(File::Mode mode) {
  switch (mode) {
    case File::Mode::read:
      return O_RDONLY | O_CLOEXEC | O_NONBLOCK;  // A FIFO would wait for a writer for ever.
    case File::Mode::replace:
      return O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
    case File::Mode::append:
      return O_WRONLY | O_APPEND | O_CLOEXEC;
    case File::Mode::extend:
      return O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
    case File::Mode::create:
      break;
  }
  return O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
}

}  // namespace

File::File(const std::filesystem::path& path, Mode mode, ErrorKind kind)
    : path_(path), kind_(kind), descriptor_(::open(path.c_str(), flags_of(mode), 0666)) {
  if (descriptor_ < 0) fail_at(mode == Mode::read ? "cannot be opened" : "cannot be written");
  if (mode != Mode::read || is_file_or_directory()) return;
  ::close(descriptor_);
  fail(kind_, "'{}': found a device or a pipe, expected a file", path_.string());
}

File::~File() {
  ::close(descriptor_);
}

bool File::is_file_or_directory() const {
  struct stat status = {};
  return ::fstat(descriptor_, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
}

std::uint64_t File::size() const {
  struct stat status = {};
  if (::fstat(descriptor_, &status) != 0) fail_at("cannot be read");
  require(S_ISREG(status.st_mode), kind_, "'{}': expected a file", path_.string());
  return static_cast<std::uint64_t>(status.st_size);
}

std::size_t File::read(std::span<std::byte> target) {
  std::size_t done = 0;
  while (done < target.size()) {
    const ssize_t count = ::read(descriptor_, target.data() + done, target.size() - done);
    if (count == 0) break;
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      fail_at("cannot be read");
    }
  }
  return done;
}

void File::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      fail_at("cannot be written");
    }
  }
}

void File::flush() {
  if (::fsync(descriptor_) != 0) fail_at("cannot be flushed to disk");
}

void File::fail_at(std::string_view action) const {
  const std::error_code reason(errno, std::generic_category());
  fail(kind_, "'{}' {}: {}", path_.string(), action, reason.message());
}

void flush_directory(const std::filesystem::path& path, ErrorKind kind) {
  File(path.empty() ? "." : path, File::Mode::read, kind).flush();
}

}  // namespace afterspike::io
