#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "afterspike/base/error.hpp"

namespace afterspike::distributed {

/// Numbers and texts by name that all ranks see; rank 0 keeps them. Everything throws when rank 0
/// does not answer.
class Board {
 public:
  virtual ~Board() = default;

  /// Adds to a number, which is 0 at first, and gives what it is then.
  virtual std::int64_t add(const std::string& name, std::int64_t value) = 0;

  /// Writes a text unless there is one of that name.
  virtual void write_once(const std::string& name, const std::string& text) = 0;
  virtual std::optional<std::string> read(const std::string& name) = 0;
};

struct HeartbeatOptions {
  int rank = 0;
  std::vector<std::string> hosts;  ///< Of each rank, for messages.
  double interval_s = 1;
  double timeout_s = 30;   ///< Silence after which a rank is lost ...
  double suspicion_s = 5;  ///< ... and when a connection is known to have ended.
  double patience_s = 10;  ///< From the verdict to `give_up`.

  /// Called again and again once there is a verdict, to wake the thread that works.
  std::function<void()> interrupt;
  std::function<void(const Error&)> give_up;  ///< See ConnectOptions; may be empty.
};

/// Gives signs of life and heeds those of others, on a thread of its own. Each rank counts its own
/// up on the board; rank 0 watches the counts of all, so the load grows with the number of ranks
/// only; the others notice rank 0's end by the board. The first error on the board is the verdict:
/// all stop for it.
class Heartbeat {
 public:
  Heartbeat(std::unique_ptr<Board> board, HeartbeatOptions options);

  /// Says good-bye. Rank 0, which keeps the board, waits until all others have, or are lost.
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  /// Why all stop; nothing while all is well.
  std::optional<Error> verdict();

  /// A connection has ended, so some rank has: waits until it is known which. Without a verdict in
  /// the time in which there must be one, gives Error(lost) with `what`.
  Error await_verdict(const std::string& what);

  /// Puts this rank's own error on the board.
  void post(const Error& error);

 private:
  using Clock = std::chrono::steady_clock;
  struct Other {
    std::int64_t beats = 0;
    Clock::time_point heard;
    bool left = false;
  };

  void run();
  void beat();
  void look_after_others();
  void settle(const Error& error);
  void insist();
  void say_goodbye();
  std::string name(int rank) const;

  // Only the thread uses these.
  std::unique_ptr<Board> board_;  ///< None any more where it did not answer: the next try would
                                  ///< wait as long again.
  std::vector<Other> others_;
  bool told_trouble_ = false;
  bool gave_up_ = false;

  const HeartbeatOptions options_;
  std::mutex mutex_;  ///< Of all that follows.
  std::condition_variable changed_;
  std::optional<Error> verdict_, own_;
  Clock::time_point settled_;
  bool noticed_ = false;  ///< The thread that works knows the verdict, or made it.
  bool trouble_ = false;
  bool leaving_ = false;
  std::thread thread_;
};

}  // namespace afterspike::distributed
