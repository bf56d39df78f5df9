#include "train/ranks/meeting_point.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/expect_error.hpp"

namespace afterspike::train {
namespace {

using std::chrono::milliseconds;
using testing::expect_error;

int connected(const std::string& address, int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  ::inet_pton(AF_INET, address.c_str(), &to.sin_addr);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) return socket;
  ::close(socket);
  return -1;
}

int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  socklen_t size = sizeof address;
  ::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

/// An IPv4 address of this machine besides the loopback's; empty if there is none.
std::string other_address() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return "";
  std::string found;
  for (const ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != AF_INET) continue;
    char text[INET_ADDRSTRLEN] = {};
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(each->ifa_addr)->sin_addr, text,
                sizeof text);
    if (std::string(text).rfind("127.", 0) != 0) found = text;
  }
  ::freeifaddrs(all);
  return found;
}

class Meeting : public ::testing::Test {
 protected:
  std::unique_ptr<MeetingPoint> join(const std::string& token = "secret") const {
    return std::make_unique<MeetingPoint>("127.0.0.1", port_, token, milliseconds(5000),
                                          milliseconds(5000));
  }

  const int port_ = free_port();
  std::unique_ptr<MeetingPointServer> server_ =
      std::make_unique<MeetingPointServer>("127.0.0.1", port_, "secret");
};

TEST_F(Meeting, KeepsValuesAndNumbersForAll) {
  const auto one = join(), other = join();
  EXPECT_EQ(one->get("a"), std::nullopt);
  const std::string bytes("x\0y", 3), large(1 << 20, 'z');
  one->set("a", bytes);
  one->set("empty", "");
  one->set("large", large);
  EXPECT_EQ(other->get("a"), bytes);
  EXPECT_EQ(other->get("empty"), "");
  EXPECT_EQ(other->get("large"), large);
  one->set_once("a", "later");
  one->set_once("b", "first");
  EXPECT_EQ(other->get("a"), bytes);
  EXPECT_EQ(other->get("b"), "first");
  EXPECT_EQ(one->add("count", 3), 3);
  EXPECT_EQ(other->add("count", -5), -2);
  EXPECT_EQ(other->add("count", 0), -2);
  EXPECT_TRUE(one->remove("b"));
  EXPECT_FALSE(one->remove("b"));
  EXPECT_EQ(other->get("b"), std::nullopt);
}

TEST_F(Meeting, AddsFromManyThreads) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const auto point = join();
      for (int j = 0; j < 100; ++j) point->add("count", 1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(join()->add("count", 0), 800);
}

TEST_F(Meeting, IsOnTheGivenInterfaceOnly) {
  const std::string other = other_address();
  if (other.empty()) GTEST_SKIP() << "this machine has the loopback interface only";
  EXPECT_LT(connected(other, port_), 0) << other;
  const int socket = connected("127.0.0.1", port_);
  EXPECT_GE(socket, 0);
  ::close(socket);
  // A name may resolve to 127.0.1.1 on its own machine: then all interfaces.
  server_.reset();
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  const int port = free_port();
  const MeetingPointServer named(name, port, "");
  const int reached = connected(other, port);
  EXPECT_GE(reached, 0);
  ::close(reached);
}

TEST_F(Meeting, RefusesAnotherToken) {
  for (const char* token : {"", "secret ", "another"}) {
    expect_error(ErrorKind::config, {"127.0.0.1", "refuses", "AFTERSPIKE_TOKEN"},
                 [&] { join(token); });
  }
  EXPECT_EQ(join()->get("a"), std::nullopt);
}

/// A stranger sends nothing, a byte, lengths of gigabytes, or a request without the token.
TEST_F(Meeting, GoesOnBesideStrangers) {
  const auto rank = join();
  std::vector<int> sockets;
  const std::string huge("\x01\xff\xff\xff\xff\xff\xff\xff\xff", 9);
  std::string verdict("\x01\x07\0\0\0\x03\0\0\0verdictend", 19);
  verdict.resize(200, 'x');
  const std::string garbage(1 << 20, '\xab');
  for (const std::string& bytes : {std::string(), std::string(1, '\0'), huge, verdict, garbage}) {
    const int socket = connected("127.0.0.1", port_);
    ASSERT_GE(socket, 0);
    ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    sockets.push_back(socket);
  }
  for (int i = 0; i < 50; ++i) {
    rank->add("beats", 1);
    std::this_thread::sleep_for(milliseconds(2));
  }
  EXPECT_EQ(rank->get("verdict"), std::nullopt);
  EXPECT_EQ(rank->add("beats", 0), 50);
  for (const int socket : sockets) ::close(socket);
  EXPECT_EQ(join()->add("beats", 1), 51);
}

/// The strangers who wait longest give way.
TEST_F(Meeting, BoundsTheNumberOfStrangers) {
  std::vector<int> sockets;
  for (int i = 0; i < 300; ++i) sockets.push_back(connected("127.0.0.1", port_));
  EXPECT_EQ(join()->get("a"), std::nullopt);
  for (const int socket : sockets) ::close(socket);
}

TEST_F(Meeting, SaysWhenRank0IsGoneOrThePortIsTaken) {
  expect_error(ErrorKind::config, {"cannot listen", std::to_string(port_), "--master-port"},
               [&] { MeetingPointServer("127.0.0.1", port_, ""); });
  const auto point = join();
  server_.reset();
  expect_error(ErrorKind::lost, {"rank 0 does not answer any more"}, [&] { point->get("a"); });
  expect_error(ErrorKind::lost, {"cannot be reached", "tried for 0.1 s"},
               [&] { MeetingPoint("127.0.0.1", port_, "", milliseconds(100), milliseconds(100)); });
}

}  // namespace
}  // namespace afterspike::train
