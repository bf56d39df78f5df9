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

namespace afterspike::train {

/// Named numbers and texts that all ranks see; rank 0 stores them. Every function throws if rank 0
/// does not answer.
class Board {
 public:
  virtual ~Board() = default;

  /// Adds to a number, initially 0, and returns the result.
  virtual std::int64_t add(const std::string& name, std::int64_t value) = 0;

  /// Writes a text unless the name exists.
  virtual void write_once(const std::string& name, const std::string& text) = 0;
  virtual std::optional<std::string> read(const std::string& name) = 0;
};

struct HeartbeatOptions {
  int rank = 0;
  std::vector<std::string> hosts;  ///< Host of each rank, for messages.
  double interval_s = 1;
  double timeout_s = 30;   ///< Silence after which a rank is lost, in general ...
  double suspicion_s = 5;  ///< ... and after a connection has ended.
  double patience_s = 10;  ///< Time from the verdict to `give_up`.

  /// Called repeatedly once there is a verdict, to wake the working thread.
  std::function<void()> interrupt;
  std::function<void(const Error&)> give_up;  ///< See ConnectOptions; may be empty.
};

/// Sends heartbeats and watches those of others, on its own thread. Each rank increments its count
/// on the board; rank 0 watches the counts of all, so the load grows only linearly with the number
/// of ranks; the others notice the end of rank 0 by the board. The first error on the board is the
/// verdict: all stop for it.
class Heartbeat {
 public:
  Heartbeat(std::unique_ptr<Board> board, HeartbeatOptions options);

  /// Announces the end of this rank. Rank 0, which keeps the board, waits until all others have
  /// done so, or are lost.
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  /// Returns why all stop; nullopt while there is no error.
  std::optional<Error> verdict();

  /// Waits, after a connection has ended, until it is known which rank ended. Without a verdict in
  /// due time, returns Error(lost) with `what`.
  Error await_verdict(const std::string& what);

  /// Writes this rank's own error to the board.
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

  // Used only by the thread.
  std::unique_ptr<Board> board_;  ///< Null after it did not answer, because the next call would
                                  ///< wait as long again.
  std::vector<Other> others_;
  bool told_trouble_ = false;
  bool gave_up_ = false;

  const HeartbeatOptions options_;
  std::mutex mutex_;  ///< Guards all members below.
  std::condition_variable changed_;
  std::optional<Error> verdict_, own_;
  Clock::time_point settled_;
  bool noticed_ = false;  ///< The working thread knows the verdict, or made it.
  bool trouble_ = false;
  bool leaving_ = false;
  std::thread thread_;
};

}  // namespace afterspike::train
