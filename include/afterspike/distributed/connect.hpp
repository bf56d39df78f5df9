#pragma once

#include <functional>
#include <memory>

#include "afterspike/distributed/place.hpp"
#include "afterspike/distributed/ranks.hpp"

namespace afterspike::distributed {

struct ConnectOptions {
  double join_timeout_s = 300;  ///< How long to wait until all ranks are there.
  double rank_timeout_s = 30;   ///< A rank of which nothing is heard for so long is lost.

  /// Called, from another thread, with the error for which all stop, when the thread that works has
  /// not come to notice it after kPatience_s: it may compute, or hang. May end the process. Empty:
  /// the error waits until the next call.
  std::function<void(const Error&)> give_up;
};

/// See ConnectOptions::give_up.
inline constexpr double kPatience_s = 10;

/// True where the program was built with LibTorch's c10d and Gloo.
bool can_connect() noexcept;

/// Meets the other processes; alone() needs no connection. From then on each rank gives signs of
/// life, from a thread of its own, until the object ends; rank 0 ends last.
///
/// Throws Error(config) when this program was built without Gloo, when rank 0 cannot listen, or
/// when another process has this rank already; Error(lost) naming the ranks that do not come.
std::unique_ptr<Ranks> connect(const Place& place, const ConnectOptions& options);

}  // namespace afterspike::distributed
