#pragma once

#include <chrono>
#include <ctime>

namespace afterspike::train {

/// Seconds on a clock that never jumps; only differences mean something.
inline double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Seconds that all threads of this process have computed.
inline double cpu_s() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

}  // namespace afterspike::train
