#include "train/ranks/heartbeat.hpp"

#include <atomic>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace afterspike::train {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// State shared by all ranks of a test; rank 0 can remove it.
struct Shared {
  std::mutex mutex;
  std::map<std::string, std::int64_t> numbers;
  std::map<std::string, std::string> texts;
  std::atomic<bool> answers = true;
};

class MemoryBoard final : public Board {
 public:
  explicit MemoryBoard(Shared& shared) : shared_(shared) {}
  std::int64_t add(const std::string& name, std::int64_t value) override {
    const auto lock = take();
    return shared_.numbers[name] += value;
  }
  void write_once(const std::string& name, const std::string& text) override {
    const auto lock = take();
    shared_.texts.emplace(name, text);
  }
  std::optional<std::string> read(const std::string& name) override {
    const auto lock = take();
    const auto found = shared_.texts.find(name);
    return found == shared_.texts.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  std::unique_lock<std::mutex> take() {
    if (!shared_.answers) throw std::runtime_error("connection reset");
    return std::unique_lock(shared_.mutex);
  }
  Shared& shared_;
};

class Heartbeats : public ::testing::Test {
 protected:
  /// Starts the heartbeat of a rank of three on hosts a, b and c.
  std::unique_ptr<Heartbeat> start(int rank, std::function<void(const Error&)> give_up = {}) {
    HeartbeatOptions options;
    options.rank = rank;
    options.hosts = {"a", "b", "c"};
    options.interval_s = 0.03;
    options.timeout_s = 1;
    options.suspicion_s = 0.3;
    options.patience_s = 0.1;
    options.interrupt = [this] { ++interruptions_; };
    options.give_up = std::move(give_up);
    return std::make_unique<Heartbeat>(std::make_unique<MemoryBoard>(shared_), options);
  }

  /// Returns the verdict, which must exist within two seconds.
  static std::string verdict_of(Heartbeat& heartbeat) {
    for (int i = 0; i < 200; ++i) {
      if (const auto verdict = heartbeat.verdict()) return verdict->what();
      std::this_thread::sleep_for(milliseconds(10));
    }
    return "none";
  }

  Shared shared_;
  std::atomic<int> interruptions_ = 0;
};

TEST_F(Heartbeats, AreContentWhileAllGiveSignsOfLifeAndWhenTheyLeave) {
  auto zero = start(0), one = start(1), two = start(2);
  std::this_thread::sleep_for(milliseconds(300));
  two.reset();
  std::this_thread::sleep_for(milliseconds(1200));
  EXPECT_FALSE(zero->verdict());
  EXPECT_FALSE(one->verdict());
  EXPECT_EQ(interruptions_, 0);
  one.reset();
}

TEST_F(Heartbeats, NameARankThatIsSilent) {
  auto zero = start(0), one = start(1);
  const std::string message = "rank 2 (on c) is lost: no sign of life for 1 s";
  EXPECT_EQ(verdict_of(*zero), message);
  EXPECT_EQ(verdict_of(*one), message);
  EXPECT_GT(interruptions_, 0);
}

TEST_F(Heartbeats, AreSoonerSureWhereAConnectionHasEnded) {
  auto zero = start(0), one = start(1);
  const auto begin = std::chrono::steady_clock::now();
  const Error error = one->await_verdict("connection closed by peer");
  EXPECT_EQ(error.kind(), ErrorKind::lost);
  EXPECT_THAT(error.what(), HasSubstr("rank 2 (on c) is lost"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(900));
}

TEST_F(Heartbeats, GiveTheConnectionsWordsWhereAllAreAlive) {
  auto zero = start(0), one = start(1), two = start(2);
  const Error error = one->await_verdict("strange words");
  EXPECT_EQ(error.kind(), ErrorKind::lost);
  EXPECT_THAT(error.what(), HasSubstr("strange words"));
  one.reset();
  two.reset();
}

TEST_F(Heartbeats, PassOnTheFirstErrorOfARank) {
  auto zero = start(0), one = start(1), two = start(2);
  two->post(Error(ErrorKind::numeric, "the loss is nan"));
  for (Heartbeat* heartbeat : {zero.get(), one.get()}) {
    EXPECT_EQ(verdict_of(*heartbeat), "rank 2 (on c) has failed: the loss is nan");
    EXPECT_EQ(heartbeat->verdict()->kind(), ErrorKind::numeric);
  }
  one->post(Error(ErrorKind::data, "later"));
  EXPECT_THAT(verdict_of(*zero), Not(HasSubstr("later")));
  one.reset();
  two.reset();
}

TEST_F(Heartbeats, TellOfAnErrorEvenWhereTheRankEndsAtOnce) {
  auto zero = start(0), one = start(1);
  auto two = start(2);
  two->post(Error(ErrorKind::data, "no such file"));
  two.reset();
  EXPECT_EQ(verdict_of(*one), "rank 2 (on c) has failed: no such file");
  one.reset();
}

TEST_F(Heartbeats, NoticeThatRankZeroIsGone) {
  auto one = start(1);
  EXPECT_FALSE(one->verdict());
  shared_.answers = false;
  EXPECT_EQ(verdict_of(*one), "rank 0 (on a) is lost: it does not answer any more");
}

TEST_F(Heartbeats, GiveUpOnAThreadThatDoesNotNotice) {
  std::atomic<int> given_up = 0;
  auto one = start(1, [&](const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("rank 0"), HasSubstr("lost")));
    ++given_up;
  });
  auto noticing = start(2, [](const Error&) { ADD_FAILURE() << "it has noticed"; });
  shared_.answers = false;
  verdict_of(*noticing);
  std::this_thread::sleep_for(milliseconds(500));
  EXPECT_EQ(given_up, 1);
}

}  // namespace
}  // namespace afterspike::train
