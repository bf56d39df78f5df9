#include "address.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "afterspike/base/error.hpp"

namespace afterspike::train {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Addresses look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(host.c_str(), "9", &hints, &found);
  require(status == 0, ErrorKind::usage, "host '{}' of rank 0: {}", host, ::gai_strerror(status));
  return {found, &::freeaddrinfo};
}

std::string text_of(const sockaddr* address, socklen_t size) {
  std::array<char, NI_MAXHOST> text{};
  const int status =
      ::getnameinfo(address, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  return status == 0 ? text.data() : "127.0.0.1";
}

}  // namespace

std::string host_name() {
  std::array<char, NI_MAXHOST> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::string address_of(const std::string& host) {
  const Addresses found = look_up(host);
  return text_of(found->ai_addr, found->ai_addrlen);
}

std::string address_towards(const std::string& address) {
  const Addresses found = look_up(address);
  const int socket = ::socket(found->ai_family, SOCK_DGRAM, 0);
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  // Sends nothing: connecting a datagram socket only selects a route.
  const bool chosen = socket >= 0 && ::connect(socket, found->ai_addr, found->ai_addrlen) == 0 &&
                      ::getsockname(socket, reinterpret_cast<sockaddr*>(&local), &size) == 0;
  if (socket >= 0) ::close(socket);
  return chosen ? text_of(reinterpret_cast<const sockaddr*>(&local), size) : "127.0.0.1";
}

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

}  // namespace afterspike::train
