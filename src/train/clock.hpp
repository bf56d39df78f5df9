#pragma once

#include <chrono>

namespace afterspike::train {

/// Seconds on a clock that never jumps; only differences mean something.
inline double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace afterspike::train
