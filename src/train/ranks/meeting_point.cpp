#include "meeting_point.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "address.hpp"
#include "afterspike/base/error.hpp"
#include "afterspike/base/log.hpp"
#include "afterspike/io/bytes.hpp"

namespace afterspike::train {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A server greets with kGreeting and a nonce; the client answers proof(). A request is operation,
// length of the name, length of the value (32 bits each, little-endian), name, value; an answer
// length and text.
constexpr std::string_view kGreeting = "afterspike meets 1\n";
constexpr std::size_t kNonceBytes = 32, kProofBytes = 64, kHeaderBytes = 9;
constexpr std::uint32_t kMaxName = 1024, kMaxValue = 1 << 20;
constexpr std::size_t kMaxStrangers = 64;
constexpr std::chrono::seconds kProofTime{10};

enum Operation : std::uint8_t { kSet = 1, kSetOnce, kGet, kAdd, kRemove };

std::string reason() {
  return std::generic_category().message(errno);
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  require(::getrandom(bytes.data(), count, 0) == static_cast<ssize_t>(count), ErrorKind::internal,
          "the system gives no random bytes");
  return bytes;
}

/// Shows that a client knows the token, without sending it.
std::string proof(const std::string& nonce, const std::string& token) {
  const std::string text = token + nonce + token;
  return io::sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

std::string length_bytes(std::size_t length) {
  const auto number = static_cast<std::uint32_t>(length);
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

std::uint32_t length_at(std::string_view bytes) {
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Addresses look_up(const std::string& host, int port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  const char* const name = host.empty() ? nullptr : host.c_str();
  if (::getaddrinfo(name, std::to_string(port).c_str(), &hints, &found) != 0) found = nullptr;
  return {found, &::freeaddrinfo};
}

void set_option(int socket, int level, int option) {
  const int on = 1;
  ::setsockopt(socket, level, option, &on, sizeof on);
}

/// A socket that listens at the first address that allows it; -1 with errno if none does.
int listen_at(const Addresses& addresses) {
  errno = EADDRNOTAVAIL;
  for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
    const int socket = ::socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket < 0) continue;
    set_option(socket, SOL_SOCKET, SO_REUSEADDR);
    if (::bind(socket, each->ai_addr, each->ai_addrlen) == 0 && ::listen(socket, SOMAXCONN) == 0) {
      return socket;
    }
    const int error = errno;
    ::close(socket);
    errno = error;
  }
  return -1;
}

/// Whether `host` names one interface, the same wherever it is looked up.
bool is_definite(const std::string& host) {
  return host == "localhost" || look_up(host, 1, AI_NUMERICHOST) != nullptr;
}

/// Sends or receives all bytes; false at the end of the connection or of the time.
template <typename Transfer>
bool transfer_all(int socket, std::size_t count, short event, Clock::time_point end,
                  const Transfer& transfer) {
  for (std::size_t done = 0; done < count;) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now()).count();
    if (left <= 0) return false;
    pollfd wanted{socket, event, 0};
    const int ready = ::poll(&wanted, 1, static_cast<int>(std::min<std::int64_t>(left, 1 << 30)));
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    const ssize_t moved = transfer(done);
    if (moved > 0) done += static_cast<std::size_t>(moved);
    if (moved == 0 || (moved < 0 && errno != EAGAIN && errno != EINTR)) return false;
  }
  return true;
}

bool send_all(int socket, std::string_view bytes, Clock::time_point end) {
  return transfer_all(socket, bytes.size(), POLLOUT, end, [&](std::size_t done) {
    return ::send(socket, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
  });
}

bool receive_all(int socket, std::string& bytes, Clock::time_point end) {
  return transfer_all(socket, bytes.size(), POLLIN, end, [&](std::size_t done) {
    return ::recv(socket, bytes.data() + done, bytes.size() - done, 0);
  });
}

/// A connected socket, nonblocking; -1 if there is none now.
int connect_to(const std::string& host, int port, Clock::time_point end) {
  const Addresses addresses = look_up(host, port, 0);
  for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
    const int socket = ::socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket < 0) continue;
    int error = ::connect(socket, each->ai_addr, each->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now()).count();
      pollfd wanted{socket, POLLOUT, 0};
      socklen_t size = sizeof error;
      const bool ended =
          ::poll(&wanted, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 5000))) == 1;
      if (!ended || ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = ETIMEDOUT;
    }
    if (error == 0) {
      set_option(socket, IPPROTO_TCP, TCP_NODELAY);
      return socket;
    }
    ::close(socket);
    errno = error;
  }
  return -1;
}

}  // namespace

struct MeetingPointServer::Connection {
  explicit Connection(int descriptor) : socket(descriptor), nonce(random_bytes(kNonceBytes)) {}
  ~Connection() { ::close(socket); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int socket;
  std::string nonce;
  bool trusted = false;
  Clock::time_point since = Clock::now();
  std::string in, out;
};

MeetingPointServer::MeetingPointServer(const std::string& address, int port, std::string token)
    : address_(address), token_(std::move(token)) {
  if (is_definite(address)) listener_ = listen_at(look_up(address, port, 0));
  if (listener_ < 0 && (errno == EADDRNOTAVAIL || !is_definite(address))) {
    // Behind a translation of addresses, the address is another machine's.
    address_ = "localhost";
    listener_ = listen_at(look_up("", port, AI_PASSIVE));
  }
  require(
      listener_ >= 0, ErrorKind::config,
      "rank 0 cannot listen at {} port {}; expected a free one (MASTER_PORT, --master-port): {}",
      address, port, reason());
  std::array<int, 2> ends{};
  require(::pipe2(ends.data(), O_CLOEXEC) == 0, ErrorKind::internal, "no pipe: {}", reason());
  stop_reader_ = ends[0];
  stop_writer_ = ends[1];
  thread_ = std::thread([this] { serve(); });
}

MeetingPointServer::~MeetingPointServer() {
  ::close(stop_writer_);
  thread_.join();
  ::close(stop_reader_);
  ::close(listener_);
}

void MeetingPointServer::serve() {
  for (;;) {
    std::vector<pollfd> wanted = {{stop_reader_, POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const auto& [socket, connection] : connections_) {
      const bool waits = !connection->out.empty();
      wanted.push_back({socket, static_cast<short>(POLLIN | (waits ? POLLOUT : 0)), 0});
    }
    ::poll(wanted.data(), wanted.size(), 1000);
    if (wanted[0].revents != 0) return;
    for (const pollfd& each : std::span(wanted).subspan(2)) {
      Connection& connection = *connections_.at(each.fd);
      bool stays = true;
      if ((each.revents & (POLLIN | POLLERR | POLLHUP)) != 0) stays = receive(connection);
      if (stays && !connection.out.empty()) stays = send(connection);
      const bool late = !connection.trusted && Clock::now() - connection.since > kProofTime;
      if (!stays || late) connections_.erase(each.fd);
    }
    if (wanted[1].revents != 0) accept_all();
  }
}

/// Makes room for one more connection: the strangers who wait longest give way.
void MeetingPointServer::drop_surplus() {
  std::size_t strangers = 0;
  auto oldest = connections_.end();
  for (auto each = connections_.begin(); each != connections_.end(); ++each) {
    if (each->second->trusted) continue;
    ++strangers;
    const bool older = oldest == connections_.end() || each->second->since < oldest->second->since;
    if (older) oldest = each;
  }
  if (strangers >= kMaxStrangers) connections_.erase(oldest);
}

void MeetingPointServer::accept_all() {
  for (;;) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket < 0) return;
    drop_surplus();
    set_option(socket, IPPROTO_TCP, TCP_NODELAY);
    auto connection = std::make_unique<Connection>(socket);
    connection->out = std::string(kGreeting) + connection->nonce;
    if (send(*connection)) connections_[socket] = std::move(connection);
  }
}

bool MeetingPointServer::send(Connection& connection) {
  const ssize_t sent =
      ::send(connection.socket, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN || errno == EINTR;
  connection.out.erase(0, static_cast<std::size_t>(sent));
  return true;
}

/// Returns false if the connection is to be dropped.
bool MeetingPointServer::receive(Connection& connection) {
  std::array<char, 1 << 16> block{};
  const std::size_t room = connection.trusted ? block.size() : kProofBytes - connection.in.size();
  const ssize_t count = ::recv(connection.socket, block.data(), room, 0);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return false;
  connection.in.append(block.data(), static_cast<std::size_t>(count));
  if (!connection.trusted) {
    if (connection.in.size() < kProofBytes) return true;
    if (connection.in != proof(connection.nonce, token_)) return false;
    connection.trusted = true;
    connection.in.clear();
    connection.out += length_bytes(0);
    return true;
  }
  while (connection.in.size() >= kHeaderBytes) {
    const std::string_view header = connection.in;
    const std::size_t name = length_at(header.substr(1)), value = length_at(header.substr(5));
    if (name > kMaxName || value > kMaxValue) return false;
    if (connection.in.size() < kHeaderBytes + name + value) break;
    const std::string reply =
        reply_to(static_cast<std::uint8_t>(header[0]), connection.in.substr(kHeaderBytes, name),
                 connection.in.substr(kHeaderBytes + name, value));
    connection.out += length_bytes(reply.size()) + reply;
    connection.in.erase(0, kHeaderBytes + name + value);
  }
  return true;
}

std::string MeetingPointServer::reply_to(std::uint8_t operation, const std::string& name,
                                         const std::string& value) {
  const auto found = values_.find(name);
  switch (operation) {
    case kSet:
      values_[name] = value;
      return "";
    case kSetOnce:
      values_.try_emplace(name, value);
      return "";
    case kGet:
      return found == values_.end() ? "" : "=" + found->second;
    case kAdd: {
      const auto number = [](const std::string& text) {
        return text.empty() ? std::int64_t{0} : std::strtoll(text.c_str(), nullptr, 10);
      };
      const std::int64_t sum = (found == values_.end() ? 0 : number(found->second)) + number(value);
      return values_[name] = std::to_string(sum);
    }
    case kRemove:
      return values_.erase(name) > 0 ? "=" : "";
    default:
      return "";
  }
}

MeetingPoint::MeetingPoint(const std::string& address, int port, const std::string& token,
                           milliseconds join_timeout, milliseconds answer_timeout) {
  const Clock::time_point end = Clock::now() + join_timeout;
  std::string greeting(kGreeting.size() + kNonceBytes, '\0');
  std::string why;
  for (;;) {
    socket_ = connect_to(address, port, end);
    if (socket_ >= 0 && receive_all(socket_, greeting, end)) break;
    why = socket_ < 0 ? reason() : "the connection ends at once";
    if (socket_ >= 0) ::close(socket_);
    require(Clock::now() < end, ErrorKind::lost,
            "rank 0 cannot be reached at {}:{} (tried for {:g} s): {}", address, port,
            std::chrono::duration<double>(join_timeout).count(), why);
    std::this_thread::sleep_for(milliseconds(20));
  }
  if (!greeting.starts_with(kGreeting)) {
    ::close(socket_);
    fail(ErrorKind::lost,
         "rank 0 cannot be reached at {}:{}: another program, or another version of afterspike, "
         "listens there",
         address, port);
  }
  std::string accepted(4, '\0');
  const bool known = send_all(socket_, proof(greeting.substr(kGreeting.size()), token), end) &&
                     receive_all(socket_, accepted, end);
  if (!known) ::close(socket_);
  require(known, ErrorKind::config,
          "rank 0 at {}:{} refuses this process: expected the same AFTERSPIKE_TOKEN for all ranks",
          address, port);
  answer_timeout_ = answer_timeout;
}

MeetingPoint::~MeetingPoint() {
  ::close(socket_);
}

std::string MeetingPoint::ask(std::uint8_t operation, const std::string& name,
                              std::string_view value) {
  const std::lock_guard lock(mutex_);
  const Clock::time_point end = Clock::now() + answer_timeout_;
  std::string request(1, static_cast<char>(operation));
  request.append(length_bytes(name.size())).append(length_bytes(value.size()));
  request.append(name).append(value);
  std::string length(4, '\0');
  const bool answered = send_all(socket_, request, end) && receive_all(socket_, length, end);
  require(answered, ErrorKind::lost, "rank 0 does not answer any more");
  std::string answer(std::min(length_at(length), kMaxValue + 1), '\0');
  require(receive_all(socket_, answer, end), ErrorKind::lost, "rank 0 does not answer any more");
  return answer;
}

void MeetingPoint::set(const std::string& name, std::string_view value) {
  ask(kSet, name, value);
}

void MeetingPoint::set_once(const std::string& name, std::string_view value) {
  ask(kSetOnce, name, value);
}

std::optional<std::string> MeetingPoint::get(const std::string& name) {
  const std::string answer = ask(kGet, name, "");
  return answer.empty() ? std::nullopt : std::optional(answer.substr(1));
}

std::int64_t MeetingPoint::add(const std::string& name, std::int64_t value) {
  return std::strtoll(ask(kAdd, name, std::to_string(value)).c_str(), nullptr, 10);
}

bool MeetingPoint::remove(const std::string& name) {
  return !ask(kRemove, name, "").empty();
}

}  // namespace afterspike::train
