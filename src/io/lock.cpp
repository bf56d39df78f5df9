#include "afterspike/io/lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "afterspike/base/error.hpp"

namespace afterspike::io {

Lock::Lock(const std::filesystem::path& path)
    : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  require(descriptor_ >= 0, ErrorKind::data, "'{}' cannot be opened: {}", path.string(),
          std::generic_category().message(errno));
}

Lock::Lock(Lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

Lock::~Lock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool Lock::take(bool wait) const {
  int result = 0;
  do {
    result = ::flock(descriptor_, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  return result == 0 || errno != EWOULDBLOCK;
}

std::optional<Lock> Lock::try_take(const std::filesystem::path& path) {
  Lock lock(path);
  if (!lock.take(false)) return std::nullopt;
  return lock;
}

Lock Lock::wait(const std::filesystem::path& path) {
  Lock lock(path);
  lock.take(true);
  return lock;
}

}  // namespace afterspike::io
