#include "afterspike/io/size_limit.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>

#include "afterspike/base/error.hpp"

namespace afterspike::io {
namespace {

constexpr double kKib = 1024, kGib = kKib * kKib * kKib, kTib = kGib * kKib;

/// Physical memory; 0 if the system does not tell.
std::uint64_t machine_bytes() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0
             ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page)
             : 0;
}

/// A value of a file of /proc whose lines are "Name:  value kB", in bytes; negative without it.
double proc_bytes(const char* path, std::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    return std::strtod(line.c_str() + name.size(), nullptr) * kKib;
  }
  return -1;
}

/// The number in a file of one number; infinite without one ("max").
double number_in(const char* path) {
  std::ifstream file(path);
  double number = 0;
  return file >> number ? number : std::numeric_limits<double>::infinity();
}

/// Memory that the process's control group leaves; infinite if it is not limited.
double left_to_control_group() {
  const double limit = number_in("/sys/fs/cgroup/memory.max");
  const double used = number_in("/sys/fs/cgroup/memory.current");
  if (std::isinf(limit) || std::isinf(used)) return std::numeric_limits<double>::infinity();
  // Pages of files that were not used lately are given back when they are needed.
  double cached = 0;
  std::ifstream statistics("/sys/fs/cgroup/memory.stat");
  std::string name;
  for (double value = 0; statistics >> name >> value;) {
    if (name == "inactive_file") cached = value;
  }
  return limit - used + cached;
}

}  // namespace

std::string size_text(double bytes) {
  if (bytes >= kTib) return fmt::format("{:.1f} TiB", bytes / kTib);
  if (bytes >= kGib) return fmt::format("{:.1f} GiB", bytes / kGib);
  if (bytes >= kKib * kKib) return fmt::format("{:.1f} MiB", bytes / kKib / kKib);
  if (bytes >= kKib) return fmt::format("{:.0f} KiB", bytes / kKib);
  return fmt::format("{:.0f} bytes", bytes);
}

double available_bytes(bool with_swap) {
  double available = std::numeric_limits<double>::infinity();
  const double free = proc_bytes("/proc/meminfo", "MemAvailable:");
  if (free >= 0) available = free;
  if (with_swap) available += std::max(0.0, proc_bytes("/proc/meminfo", "SwapFree:"));
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    const double used = std::max(0.0, proc_bytes("/proc/self/status", "VmSize:"));
    available = std::min(available, std::max(0.0, static_cast<double>(limit.rlim_cur) - used));
  }
  return std::min(available, left_to_control_group());
}

void require_plausible_size(std::uint64_t bytes, std::uint64_t stored, std::string_view where) {
  constexpr std::uint64_t kMaxRatio = 1000;
  static const std::uint64_t machine = machine_bytes();
  require(machine == 0 || bytes <= machine, ErrorKind::data,
          "{}: its values take {} of memory, and this machine has {}; expected fewer or shorter "
          "sequences",
          where, size_text(static_cast<double>(bytes)), size_text(static_cast<double>(machine)));
  require(static_cast<double>(bytes) <= kGib || bytes / kMaxRatio <= stored, ErrorKind::data,
          "{}: its values take {} of memory, more than {} times the {} that are stored; expected "
          "values that are written, and sequences of similar lengths",
          where, size_text(static_cast<double>(bytes)), kMaxRatio,
          size_text(static_cast<double>(stored)));
}

}  // namespace afterspike::io
