#pragma once

#include <functional>
#include <memory>
#include <string>

#include "afterspike/train/ranks.hpp"
#include "afterspike/train/rendezvous.hpp"

namespace afterspike::train {

struct ConnectOptions {
  double join_timeout_s = 300;  ///< Time limit for all ranks to connect.
  double rank_timeout_s = 30;   ///< A rank that is silent for this long is lost.

  /// A secret shared by all ranks: rank 0 refuses processes with another one. Without it everybody
  /// who reaches the port of rank 0 is trusted who speaks its protocol.
  std::string token;

  /// Called, from another thread, with the error that stops all ranks, if the working thread has
  /// not noticed it after kPatience_s; it may be computing, or hang. May end the process. If empty,
  /// the error waits until the next call.
  std::function<void(const Error&)> give_up;
};

/// See ConnectOptions::give_up.
inline constexpr double kPatience_s = 10;

/// Returns whether the program was built with LibTorch's c10d and Gloo.
bool can_connect() noexcept;

/// Connects to the other processes; alone() needs no connection. From then on each rank sends
/// heartbeats, from its own thread, until the object ends; rank 0 ends last.
///
/// Throws Error(config) if this program was built without Gloo, if rank 0 cannot listen, or if
/// another process has this rank already; Error(lost) naming the ranks that do not connect.
std::unique_ptr<Ranks> connect(const Rendezvous& rendezvous, const ConnectOptions& options);

}  // namespace afterspike::train
