#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace afterspike::train {

/// Serves a store of names and values over TCP, where the ranks meet. LibTorch's TCPStore listens
/// on all interfaces, waits in recv() for one connection while it serves all, and takes any length
/// that a client announces; this one listens on the given address, never waits for a client, and
/// drops a connection that does not prove the token within 10 s or sends more than a request may
/// have.
class MeetingPointServer {
 public:
  /// Listens on `address` at `port`: on that interface only if it is an IP address of this machine
  /// or "localhost". Any other host name may resolve differently here than elsewhere, so then on
  /// all interfaces. `token`: a secret shared by all ranks, may be empty. Throws Error(config) if
  /// the port is taken.
  MeetingPointServer(const std::string& address, int port, std::string token);
  ~MeetingPointServer();
  MeetingPointServer(const MeetingPointServer&) = delete;
  MeetingPointServer& operator=(const MeetingPointServer&) = delete;

  /// Address at which a client on this machine reaches it.
  const std::string& address() const noexcept { return address_; }

 private:
  struct Connection;

  void serve();
  void accept_all();
  void drop_surplus();
  bool receive(Connection& connection);
  bool send(Connection& connection);
  std::string reply_to(std::uint8_t operation, const std::string& name, const std::string& value);

  std::string address_, token_;
  int listener_ = -1, stop_reader_ = -1, stop_writer_ = -1;
  std::map<int, std::unique_ptr<Connection>> connections_;
  std::map<std::string, std::string> values_;
  std::thread thread_;
};

/// One connection to a MeetingPointServer; thread-safe.
class MeetingPoint {
 public:
  /// Tries to connect for `join_timeout`; from then on the server has `answer_timeout` for each
  /// answer. Throws Error(lost) if it cannot be reached, Error(config) if the token differs.
  MeetingPoint(const std::string& address, int port, const std::string& token,
               std::chrono::milliseconds join_timeout, std::chrono::milliseconds answer_timeout);
  ~MeetingPoint();
  MeetingPoint(const MeetingPoint&) = delete;
  MeetingPoint& operator=(const MeetingPoint&) = delete;

  // All throw Error(lost) if the server does not answer any more.
  void set(const std::string& name, std::string_view value);
  void set_once(const std::string& name, std::string_view value);  ///< Keeps an earlier value.
  std::optional<std::string> get(const std::string& name);
  /// Adds to a number, which is 0 at first; returns the sum.
  std::int64_t add(const std::string& name, std::int64_t value);
  bool remove(const std::string& name);  ///< Returns whether it was there.

 private:
  std::string ask(std::uint8_t operation, const std::string& name, std::string_view value);

  std::mutex mutex_;
  int socket_ = -1;
  std::chrono::milliseconds answer_timeout_{};
};

}  // namespace afterspike::train
