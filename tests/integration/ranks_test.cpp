#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/class_files.hpp"
#include "support/program.hpp"

namespace afterspike {
namespace {

namespace fs = std::filesystem;

using testing::checkpoint_file;
using ::testing::HasSubstr;
using testing::latest_step;
using testing::Outcome;
using testing::Program;
using testing::Words;
using Seconds = std::chrono::duration<double>;

/// Returns a TCP port without a listener.
std::string free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  socklen_t size = sizeof address;
  ::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return std::to_string(ntohs(address.sin_port));
}

class Ranks : public testing::ProgramTest {
 protected:
  /// Processes with torchrun's variables, each in its own folder.
  using Group = std::vector<std::unique_ptr<Program>>;

  Group start(const std::vector<Words>& words_of_ranks) const {
    const std::string& port = port_ = free_port();
    Group group;
    for (std::size_t rank = 0; rank < words_of_ranks.size(); ++rank) {
      const fs::path folder = place(rank);
      fs::create_directories(folder);
      const Words variables = {"RANK=" + std::to_string(rank),
                               "WORLD_SIZE=" + std::to_string(words_of_ranks.size()),
                               "MASTER_ADDR=127.0.0.1", "MASTER_PORT=" + port};
      group.push_back(std::make_unique<Program>(words_of_ranks[rank], folder, variables));
    }
    return group;
  }
  Group start(std::size_t size, const Words& words) const {
    return start(std::vector<Words>(size, words));
  }

  static std::vector<Outcome> wait(const Group& group) {
    std::vector<Outcome> outcomes;
    for (const auto& program : group) outcomes.push_back(program->wait());
    return outcomes;
  }

  /// Runs all and expects success, and messages of rank 0 only.
  void succeed_together(std::size_t size, const Words& words) const {
    const std::vector<Outcome> outcomes = wait(start(size, words));
    for (std::size_t rank = 0; rank < size; ++rank) {
      EXPECT_EQ(outcomes[rank].status, 0) << "rank " << rank << ": " << outcomes[rank].err;
      EXPECT_TRUE(rank == 0 || outcomes[rank].out + outcomes[rank].err == "") << "rank " << rank;
    }
  }

  /// Connects to the port of the last group at an address; -1 if nobody listens there.
  int stranger(const std::string& address) const {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port_)));
    ::inet_pton(AF_INET, address.c_str(), &to.sin_addr);
    if (::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) return socket;
    ::close(socket);
    return -1;
  }

  mutable std::string port_;

  fs::path place(std::size_t rank) const { return directory_ / ("rank" + std::to_string(rank)); }

  /// Returns words for two epochs of eight steps of 150 rows, which are five shards.
  Words train(const fs::path& run, const Words& more = {}) const {
    Words words = {"train",
                   "--task",
                   "line_mnist",
                   "--set",
                   "task.dataset=mini_mnist",
                   "--neuron",
                   "glifr",
                   "--hidden",
                   "12",
                   "--set",
                   "neuron.dropout=0.1",
                   "--set",
                   "task.train_samples=1200",
                   "--batch-size",
                   "150",
                   "--threads",
                   "1",
                   "--data-dir",
                   "unused",
                   "--out",
                   run.string()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  static Words resume(const fs::path& run, const Words& more) {
    Words words = {"train", "--resume", run.string(), "--threads", "1"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  static void expect_same(const fs::path& found, const fs::path& expected) {
    EXPECT_EQ(testing::named(found, "latest"), testing::named(expected, "latest"));
    for (const char* file : {"model.safetensors", "training.safetensors"}) {
      EXPECT_EQ(checkpoint_file(found, file), checkpoint_file(expected, file)) << file;
    }
    const auto rows = testing::metrics(found), others = testing::metrics(expected);
    ASSERT_EQ(rows.size(), others.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (const char* name : {"step", "train_loss", "train_accuracy", "validation_loss"}) {
        EXPECT_EQ(rows[i].at(name), others[i].at(name)) << name;
      }
    }
  }

  /// Kills one rank of a training that never ends; the others must stop within the minute.
  void kill_one(const fs::path& run, std::size_t size, std::size_t victim, const Words& words,
                const std::string& named) const {
    const std::int64_t before = latest_step(run);
    Group group = start(size, words);
    ASSERT_TRUE(group[0]->wait_until([&] { return latest_step(run) > before; }))
        << group[0]->wait().err;
    group[victim]->send(SIGKILL);
    const auto begin = std::chrono::steady_clock::now();
    const std::vector<Outcome> outcomes = wait(group);
    EXPECT_LT(Seconds(std::chrono::steady_clock::now() - begin).count(), 30);
    for (std::size_t rank = 0; rank < size; ++rank) {
      if (rank == victim) continue;
      EXPECT_EQ(outcomes[rank].status, 7) << outcomes[rank].err;
      EXPECT_THAT(outcomes[rank].err, HasSubstr("rank " + std::to_string(rank) + ": " + named));
    }
    if (victim > 0) {
      EXPECT_THAT(outcomes[0].err, HasSubstr("the last good checkpoint is " + run.string()));
    }
  }
};

TEST_F(Ranks, TwoAndThreeGiveTheBitsOfOne) {
  const fs::path one = directory_ / "one";
  const Words two_epochs = {"--epochs", "2"};
  succeed(train(one, two_epochs));
  const io::Json expected = io::Json::parse(testing::slurp(one / "summary.json"));
  for (const std::size_t size : {2, 3}) {
    const fs::path run = directory_ / std::to_string(size);
    succeed_together(size, train(run, two_epochs));
    expect_same(run, one);
    const io::Json summary = io::Json::parse(testing::slurp(run / "summary.json"));
    EXPECT_EQ(summary.at("processes"), size);
    for (const char* split : {"train", "validation", "test"}) {
      EXPECT_EQ(summary.at(split), expected.at(split));
    }
  }
}

TEST_F(Ranks, StopWhenOneIsKilledAndGoOnInAnotherNumber) {
  const fs::path run = directory_ / "run";
  const Words quickly = {"--rank-timeout", "5 s", "--checkpoint-interval", "0.05 s"};
  Words words = quickly;
  words.insert(words.end(), {"--epochs", "1000000"});
  kill_one(run, 3, 1, train(run, words), "rank 1 (on ");
  kill_one(run, 2, 0, resume(run, quickly), "rank 0 (on ");
  succeed({"evaluate", run.string(), "--split", "test", "--json"});

  const std::string limit = std::to_string(latest_step(run) + 10);
  succeed_together(2, resume(run, {"--max-steps", std::to_string(latest_step(run) + 3)}));
  succeed(resume(run, {"--max-steps", std::to_string(latest_step(run) + 2)}));
  succeed_together(3, resume(run, {"--max-steps", limit}));
  const fs::path whole = directory_ / "whole";
  words.insert(words.end(), {"--max-steps", limit});
  succeed(train(whole, words));
  expect_same(run, whole);
}

/// A byte and silence, lengths of gigabytes and a verdict ended a training on LibTorch's store.
TEST_F(Ranks, GoOnBesideStrangers) {
  const fs::path run = directory_ / "run";
  Group group = start(2, train(run, {"--epochs", "1000000", "--rank-timeout", "3 s"}));
  ASSERT_TRUE(group[0]->wait_until([&] { return fs::exists(run / "metrics.jsonl"); }));
  const std::string huge("\0\0\0\0\xc0\0\0\0\0", 9);
  std::string verdict("\0\x08\0\0\0\0\0\0\0/verdict\x1e\0\0\0\0\0\0\0", 25);
  verdict += R"({"kind":3,"message":"<owned>"})";
  std::vector<int> sockets;
  for (const std::string& bytes : {std::string(1, '\0'), huge, verdict}) {
    sockets.push_back(stranger("127.0.0.1"));
    ASSERT_GE(sockets.back(), 0);
    ::send(sockets.back(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  const auto before = fs::file_size(run / "metrics.jsonl");
  std::this_thread::sleep_for(std::chrono::seconds(8));  // More than twice --rank-timeout.
  for (const int socket : sockets) ::close(socket);
  group[0]->send(SIGINT);
  const std::vector<Outcome> outcomes = wait(group);
  EXPECT_EQ(outcomes[0].status, 130) << outcomes[0].err;
  EXPECT_EQ(outcomes[1].status, 143) << outcomes[1].err;
  EXPECT_EQ(outcomes[0].err.find("<owned>"), std::string::npos);
  EXPECT_GT(fs::file_size(run / "metrics.jsonl"), before) << "it has trained meanwhile";
}

TEST_F(Ranks, SaveAndStopWhenOneIsInterrupted) {
  const fs::path run = directory_ / "run";
  Group group = start(2, train(run, {"--epochs", "1000000"}));
  ASSERT_TRUE(group[0]->wait_until([&] { return fs::exists(run / "metrics.jsonl"); }));
  group[1]->send(SIGINT);
  const std::vector<Outcome> outcomes = wait(group);
  EXPECT_EQ(outcomes[0].status, 143) << "not itself interrupted: as by SIGTERM";
  EXPECT_EQ(outcomes[1].status, 130);
  EXPECT_THAT(outcomes[0].err, HasSubstr("stopped and saved; to go on"));
  EXPECT_GT(latest_step(run), 0);
}

TEST_F(Ranks, ThatDifferSayInWhat) {
  const fs::path run = directory_ / "run";
  const std::vector<Outcome> outcomes =
      wait(start({train(run), train(run, {"--learning-rate", "0.5"})}));
  const std::string difference =
      "option 'train.learning_rate': found '0.5', expected '0.001', as on rank 0";
  EXPECT_THAT(outcomes[0].err, HasSubstr("rank 0: rank 1 (on "));
  EXPECT_THAT(outcomes[1].err, HasSubstr("afterspike: rank 1: " + difference));
  for (const Outcome& outcome : outcomes) {
    EXPECT_EQ(outcome.status, 3);
    EXPECT_THAT(outcome.err, HasSubstr(difference));
  }
  EXPECT_FALSE(fs::exists(run));
}

/// The same path is a different file for each rank.
Words train_own_file(const fs::path& run) {
  return {"train",     "--task", "file",  "--neuron",  "glifr", "--data", "/proc/self/cwd/data.csv",
          "--threads", "1",      "--out", run.string()};
}

TEST_F(Ranks, WithOtherDataSaySo) {
  for (const std::size_t rank : {0, 1}) {
    fs::create_directories(place(rank));
    testing::write_class_csv(place(rank) / "data.csv");
  }
  std::string changed = testing::slurp(place(1) / "data.csv");
  changed.replace(changed.find("0.25"), 4, "0.75");
  testing::spill(place(1) / "data.csv", changed);
  for (const Outcome& outcome : wait(start(2, train_own_file(directory_ / "run")))) {
    EXPECT_EQ(outcome.status, 3);
    EXPECT_THAT(outcome.err, HasSubstr("fingerprint of data.train: found '"));
  }
  fs::remove(place(1) / "data.csv");
  for (const Outcome& outcome : wait(start(2, train_own_file(directory_ / "run")))) {
    EXPECT_EQ(outcome.status, 4) << "the others learn why";
    EXPECT_THAT(outcome.err, HasSubstr("data.csv"));
  }
}

TEST_F(Ranks, NeedAllVariables) {
  const fs::path run = directory_ / "run";
  const Outcome outcome =
      Program(train_sines(run), directory_.path(), {"RANK=0", "MASTER_ADDR=a"}).wait();
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("variable RANK is set, but WORLD_SIZE is not"));
  EXPECT_FALSE(fs::exists(run));
}

TEST_F(Ranks, DoNotWaitForeverForEachOther) {
  Words words = train_sines(directory_ / "run", {"--join-timeout", "1 s"});
  const Outcome outcome =
      Program(words, directory_.path(),
              {"RANK=0", "WORLD_SIZE=3", "MASTER_ADDR=127.0.0.1", "MASTER_PORT=" + free_port()})
          .wait();
  EXPECT_EQ(outcome.status, 7);
  EXPECT_THAT(outcome.err, HasSubstr("rank 0: rank 1, 2 of 3 did not come within 1 s"));
}

}  // namespace
}  // namespace afterspike
