#pragma once

#include <chrono>
#include <ctime>

namespace afterspike::train {

/// Returns seconds of a monotonic clock; only differences have a meaning.
inline double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Returns the CPU seconds of all threads of this process.
inline double cpu_s() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

}  // namespace afterspike::train
