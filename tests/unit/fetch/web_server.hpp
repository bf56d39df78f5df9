#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "unit/datasets/test_files.hpp"

namespace afterspike::test_files {

/// A web server on this machine that answers each path with the given bytes, and others with 404.
class WebServer {
 public:
  explicit WebServer(std::map<std::string, std::string> answers) : answers_(std::move(answers)) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (socket_ < 0 || ::bind(socket_, generic, size) != 0 || ::listen(socket_, 8) != 0 ||
        ::getsockname(socket_, generic, &size) != 0) {
      throw std::runtime_error("no socket for the test's web server");
    }
    location_ = fmt::format("http://127.0.0.1:{}", ntohs(address.sin_port));
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  ~WebServer() {
    thread_.request_stop();
    thread_.join();
    ::close(socket_);
  }
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  /// "http://127.0.0.1:port"
  const std::string& location() const { return location_; }
  int requests() const { return requests_; }

  /// A complete answer; `announced` replaces its true length.
  static std::string answer(const Bytes& body, std::size_t announced) {
    return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
                       announced, std::string(body.begin(), body.end()));
  }
  static std::string answer(const Bytes& body) { return answer(body, body.size()); }

 private:
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd waiting = {.fd = socket_, .events = POLLIN, .revents = 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int connection = ::accept(socket_, nullptr, nullptr);
      if (connection >= 0) reply(connection);
      ::close(connection);
    }
  }

  void reply(int connection) {
    std::string request;
    std::array<char, 1024> block;
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t count = ::recv(connection, block.data(), block.size(), 0);
      if (count <= 0) return;
      request.append(block.data(), static_cast<std::size_t>(count));
    }
    ++requests_;
    const std::size_t start = request.find(' ') + 1;
    const auto found = answers_.find(request.substr(start, request.find(' ', start) - start));
    const std::string text = found != answers_.end()
                                 ? found->second
                                 : "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    for (std::size_t sent = 0; sent < text.size();) {
      const ssize_t count =
          ::send(connection, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;
      sent += static_cast<std::size_t>(count);
    }
  }

  const std::map<std::string, std::string> answers_;
  std::atomic<int> requests_ = 0;
  int socket_ = -1;
  std::string location_;
  std::jthread thread_;
};

}  // namespace afterspike::test_files
