#include "afterspike/io/size_limit.hpp"

#include <unistd.h>

#include <string>

#include "afterspike/base/error.hpp"

namespace afterspike::io {
namespace {

constexpr double kKib = 1024, kGib = kKib * kKib * kKib;

/// "7.2 GiB", "12 KiB" or "100 bytes".
std::string size_text(std::uint64_t bytes) {
  const auto size = static_cast<double>(bytes);
  if (size >= kGib) return fmt::format("{:.1f} GiB", size / kGib);
  if (size >= kKib * kKib) return fmt::format("{:.1f} MiB", size / kKib / kKib);
  if (size >= kKib) return fmt::format("{:.0f} KiB", size / kKib);
  return fmt::format("{} bytes", bytes);
}

/// Physical memory; 0 if the system does not tell.
std::uint64_t machine_bytes() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0
             ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page)
             : 0;
}

}  // namespace

void require_plausible_size(std::uint64_t bytes, std::uint64_t stored, std::string_view where) {
  constexpr std::uint64_t kMaxRatio = 1000;
  static const std::uint64_t machine = machine_bytes();
  require(machine == 0 || bytes <= machine, ErrorKind::data,
          "{}: its values take {} of memory, and this machine has {}; expected fewer or shorter "
          "sequences",
          where, size_text(bytes), size_text(machine));
  require(static_cast<double>(bytes) <= kGib || bytes / kMaxRatio <= stored, ErrorKind::data,
          "{}: its values take {} of memory, more than {} times the {} that are stored; expected "
          "values that are written, and sequences of similar lengths",
          where, size_text(bytes), kMaxRatio, size_text(stored));
}

}  // namespace afterspike::io
