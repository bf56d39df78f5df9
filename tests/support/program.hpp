#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "afterspike/io/json.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::testing {

using Words = std::vector<std::string>;

/// Exit status and output of the program. The status is 128 + signal if a signal ended it, as in a
/// shell.
struct Outcome {
  int status = 0;
  std::string out, err;
};

/// A running program, with its output in files of `directory`. `variables` ("NAME=VALUE") are added
/// to the environment; with them it runs in `directory`.
class Program {
 public:
  Program(const Words& words, const std::filesystem::path& directory, const Words& variables = {})
      : out_(directory / "stdout"), err_(directory / "stderr") {
    Words all = {AFTERSPIKE_TEST_PROGRAM};
    all.insert(all.end(), words.begin(), words.end());
    std::vector<char*> pointers;
    for (std::string& word : all) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ > 0) return;
    redirect(out_, STDOUT_FILENO);
    redirect(err_, STDERR_FILENO);
    if (!variables.empty() && ::chdir(directory.c_str()) != 0) ::_exit(125);
    for (const std::string& variable : variables) ::putenv(const_cast<char*>(variable.c_str()));
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
  ~Program() {
    if (pid_ <= 0) return;
    send(SIGKILL);
    wait();
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void send(int signal) const { ::kill(pid_, signal); }

  /// Returns true while it runs.
  bool runs() {
    if (pid_ > 0 && ::waitpid(pid_, &status_, WNOHANG) == pid_) pid_ = 0;
    return pid_ > 0;
  }

  /// Waits until the program has ended.
  Outcome wait() {
    if (pid_ > 0) ::waitpid(pid_, &status_, 0);
    pid_ = 0;
    return {WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_), slurp(out_),
            slurp(err_)};
  }

  /// Waits until `condition` holds, checking every `interval`; returns false if the program ended
  /// before, or after two minutes.
  bool wait_until(const std::function<bool()>& condition,
                  std::chrono::microseconds interval = std::chrono::milliseconds(2)) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (!condition()) {
      if (!runs() || std::chrono::steady_clock::now() > end) return condition();
      std::this_thread::sleep_for(interval);
    }
    return true;
  }

 private:
  static void redirect(const std::filesystem::path& path, int descriptor) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || ::dup2(file, descriptor) < 0) ::_exit(126);
  }

  std::filesystem::path out_, err_;
  pid_t pid_ = 0;
  int status_ = 0;
};

/// Runs the program in a test's own directory.
class ProgramTest : public ::testing::Test {
 protected:
  virtual Outcome run(const Words& words) const { return Program(words, directory_.path()).wait(); }

  /// Runs the program and expects success.
  Outcome succeed(const Words& words) const {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome;
  }

  /// Runs the program with --json and returns its object.
  io::Json json(const Words& words) const {
    const Outcome outcome = succeed(words);
    EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 1) << outcome.out;
    return io::Json::parse(outcome.out);
  }

  /// Runs the program and expects this exit status and a message with these parts.
  Outcome refused(int status, const Words& words, std::initializer_list<const char*> parts) const {
    Outcome outcome = run(words);
    EXPECT_EQ(outcome.status, status) << outcome.err;
    for (const char* part : parts)
      EXPECT_NE(outcome.err.find(part), std::string::npos) << part << " in: " << outcome.err;
    return outcome;
  }

  /// Returns words to train eight units on sines of 20 steps, one step an epoch.
  static Words train_sines(const std::filesystem::path& out, const Words& more = {}) {
    Words words = {"train",    "--task", "sine_generation", "--neuron",           "glifr",
                   "--hidden", "8",      "--set",           "task.duration=1 ms", "--threads",
                   "1",        "--out",  out.string()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  TempDir directory_;
};

/// Returns the name in `latest` or `best` of a run; "" if there is none.
inline std::string named(const std::filesystem::path& run, const char* which) {
  std::ifstream file(run / which);
  std::string name;
  std::getline(file, name);
  return name;
}

/// Returns the bytes of a file of the checkpoint that `which` names.
inline std::string checkpoint_file(const std::filesystem::path& run, const char* file,
                                   const char* which = "latest") {
  return slurp(run / "checkpoints" / named(run, which) / file);
}

/// Returns the step of the latest checkpoint; 0 if there is none.
inline std::int64_t latest_step(const std::filesystem::path& run) {
  const std::string name = named(run, "latest");
  return name.empty() ? 0 : std::stoll(name.substr(name.find('-') + 1));
}

/// The rows of metrics.jsonl.
inline std::vector<io::Json> metrics(const std::filesystem::path& run) {
  std::ifstream file(run / "metrics.jsonl");
  std::vector<io::Json> rows;
  for (std::string line; std::getline(file, line);) rows.push_back(io::Json::parse(line));
  return rows;
}

}  // namespace afterspike::testing
