// Stands between a test program and the file functions of the C library.

#include "file_faults.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <string>

namespace afterspike::testing {
namespace {

struct Plan {
  Fault fault = Fault::none;
  long at = 0, count = 0;
  std::string root;
  int log = -1;
};

Plan& plan() {
  static Plan the_plan;
  return the_plan;
}

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

ssize_t real_write(int descriptor, const void* bytes, size_t count) {
  static auto* const function = real<ssize_t(int, const void*, size_t)>("write");
  return function(descriptor, bytes, count);
}

std::string path_of(int descriptor) {
  char path[4096];
  const std::string name = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t size = readlink(name.c_str(), path, sizeof path);
  return size > 0 ? std::string(path, static_cast<size_t>(size)) : std::string();
}

/// Outcome of an operation: as usual, the last one of the process, or refused.
enum class Turn { usual, last, refused };

Turn turn(const char* kind, const std::string& path, const std::string& other = {}) {
  Plan& now = plan();
  if (now.root.empty() || path.compare(0, now.root.size(), now.root) != 0) return Turn::usual;
  const long number = now.count++;
  if (now.log >= 0) {
    const std::string line = std::string(kind) + ' ' + path + ' ' + other + '\n';
    real_write(now.log, line.data(), line.size());
  }
  if (now.fault == Fault::disk_full && number >= now.at) return Turn::refused;
  if (number != now.at) return Turn::usual;
  if (now.fault == Fault::killed) raise(SIGKILL);
  return now.fault == Fault::torn ? Turn::last : Turn::usual;
}

/// An operation that is done as a whole or not.
template <typename Operation>
auto whole(Turn turn, bool needs_room, const Operation& operation) {
  if (turn == Turn::refused && needs_room) {
    errno = ENOSPC;
    return decltype(operation())(-1);
  }
  const auto result = operation();
  if (turn == Turn::last) raise(SIGKILL);
  return result;
}

bool writes(int flags) {
  return (flags & (O_WRONLY | O_RDWR)) != 0;
}

int open_as(const char* name, const char* path, int flags, mode_t mode) {
  auto* const function = real<int(const char*, int, ...)>(name);
  if (!writes(flags)) return function(path, flags, mode);
  return whole(turn("open", path), true, [&] { return function(path, flags, mode); });
}

FILE* fopen_as(const char* name, const char* path, const char* mode) {
  auto* const function = real<FILE*(const char*, const char*)>(name);
  if (strpbrk(mode, "wa+") == nullptr) return function(path, mode);
  const Turn now = turn("open", path);
  if (now == Turn::refused) {
    errno = ENOSPC;
    return nullptr;
  }
  FILE* const file = function(path, mode);
  if (now == Turn::last) raise(SIGKILL);
  return file;
}

}  // namespace

void plan_fault(Fault fault, long at, const std::filesystem::path& root,
                const std::filesystem::path& log) {
  plan() = {fault, at, 0, "", -1};
  if (!log.empty()) plan().log = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  plan().root = root.string();
}

}  // namespace afterspike::testing

using namespace afterspike::testing;

extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_as("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_as("open64", path, flags, mode);
}

FILE* fopen(const char* path, const char* mode) {
  return fopen_as("fopen", path, mode);
}

FILE* fopen64(const char* path, const char* mode) {
  return fopen_as("fopen64", path, mode);
}

ssize_t write(int descriptor, const void* bytes, size_t count) {
  if (plan().root.empty()) return real_write(descriptor, bytes, count);
  const Turn now = turn("write", path_of(descriptor));
  if (now == Turn::refused) {
    errno = ENOSPC;
    return -1;
  }
  const ssize_t done = real_write(descriptor, bytes, now == Turn::last ? count / 2 : count);
  if (now == Turn::last) raise(SIGKILL);
  return done;
}

ssize_t writev(int descriptor, const struct iovec* parts, int count) {
  ssize_t total = 0;
  for (int i = 0; i < count; ++i) {
    const ssize_t done = write(descriptor, parts[i].iov_base, parts[i].iov_len);
    if (done < 0) return total > 0 ? total : -1;
    total += done;
    if (done < static_cast<ssize_t>(parts[i].iov_len)) break;
  }
  return total;
}

int fsync(int descriptor) {
  if (plan().root.empty()) return real<int(int)>("fsync")(descriptor);
  // A process that ends loses nothing of what it has written; to wait for the disk would take most
  // of the time of a test.
  return whole(turn("fsync", path_of(descriptor)), false, [] { return 0; });
}

int rename(const char* from, const char* to) {
  return whole(turn("rename", from, to), false,
               [&] { return real<int(const char*, const char*)>("rename")(from, to); });
}

int remove(const char* path) {
  return whole(turn("remove", path), false, [&] { return real<int(const char*)>("remove")(path); });
}

int unlinkat(int directory, const char* name, int flags) {
  const std::string path = *name == '/' ? name : path_of(directory) + '/' + name;
  return whole(turn("remove", path), false, [&] {
    return real<int(int, const char*, int)>("unlinkat")(directory, name, flags);
  });
}

int mkdir(const char* path, mode_t mode) {
  return whole(turn("mkdir", path), true,
               [&] { return real<int(const char*, mode_t)>("mkdir")(path, mode); });
}

}  // extern "C"
