// Ends a small training at each of its file operations: killed before it, torn within it, or with
// the disk full from it on. The run then resumes to the bits of an uninterrupted one. Processes are
// forked from the test, since a program that links LibTorch takes a second to start.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "support/file_faults.hpp"
#include "unit/train/small_run.hpp"

namespace afterspike::train {
namespace {

namespace fs = std::filesystem;

using testing::Fault;
using testing::slurp;

/// Runs `work` in a process that ends as the program would; returns its status as of waitpid().
template <typename Work>
int run_process(const Work& work) {
  const pid_t process = ::fork();
  if (process == 0) {
    int status = 0;
    try {
      work();
    } catch (const Error& error) {
      status = exit_status(error.kind());
    } catch (...) {
      status = 70;
    }
    ::_exit(status);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(process, &status, 0), process);
  return status;
}

class CrashPoints : public ::testing::Test {
 protected:
  void SetUp() override { testing::write_class_file(directory_ / "data.csv"); }

  /// Three epochs of three steps, with validation, saved after every step.
  void train(const fs::path& run) const {
    const testing::Silence silence;
    if (!fs::exists(run)) {
      RunOptions options = testing::run_options("file", "rnn",
                                                {{"task.data", (directory_ / "data.csv").string()},
                                                 {"network.hidden", "4"},
                                                 {"train.batch_size", "8"},
                                                 {"train.epochs", "3"}});
      create_run(run, options, testing::environment());
    }
    continue_run(run, testing::environment());
  }

  /// The same in a process of its own, with a fault.
  int train_with(Fault fault, long at, const fs::path& run, const fs::path& log = {}) const {
    return run_process([&] {
      testing::plan_fault(fault, at, run.parent_path(), log);
      train(run);
    });
  }

  /// All results that do not depend on the clock.
  static std::map<std::string, std::string> results(const fs::path& run) {
    std::map<std::string, std::string> found;
    for (const char* which : {"latest", "best"}) {
      for (const char* file : {"model.safetensors", "training.safetensors"}) {
        found[std::string(which) + file] = testing::checkpoint_bytes(run, which, file);
      }
    }
    for (const std::string& line : testing::lines_of(run / "metrics.jsonl")) {
      io::Json row = io::Json::parse(line);
      for (const char* time : {"epoch_s", "samples_per_s", "wall_s"}) row.erase(time);
      found["rows"] += row.dump() + '\n';
    }
    const io::Json summary = io::read_json(run / "summary.json", ErrorKind::data);
    for (const char* split : {"train", "validation", "test"})
      found[split] = summary.at(split).dump();
    return found;
  }

  testing::TempDir directory_;
};

struct Operation {
  std::string kind, path, other;
};

std::vector<Operation> operations_in(const fs::path& log) {
  std::vector<Operation> operations;
  for (const std::string& line : testing::lines_of(log)) {
    Operation operation;
    std::istringstream(line) >> operation.kind >> operation.path >> operation.other;
    operations.push_back(operation);
  }
  return operations;
}

TEST_F(CrashPoints, AllLeaveARunThatResumesToTheSameBits) {
  fs::create_directory(directory_ / "whole");
  const fs::path whole = directory_ / "whole" / "run", log = directory_ / "log";
  ASSERT_EQ(train_with(Fault::none, 0, whole, log), 0);
  const auto expected = results(whole);
  const auto count = static_cast<long>(operations_in(log).size());
  ASSERT_GT(count, 200);
  // A third of the operations, with another fault each time; with AFTERSPIKE_ALL_CRASH_POINTS set,
  // all of them (a minute of a processor).
  constexpr Fault kFaults[] = {Fault::killed, Fault::torn, Fault::disk_full};
  const long stride = std::getenv("AFTERSPIKE_ALL_CRASH_POINTS") != nullptr ? 1 : 3;
  std::map<Fault, int> ends;
  long samples = 0;
  for (long at = 0; at < count; at += stride, ++samples) {
    const Fault fault = kFaults[(samples + samples / 3) % 3];
    SCOPED_TRACE(fmt::format("operation {} of {}, fault {}", at, count, static_cast<int>(fault)));
    const fs::path folder = directory_ / "crashed", run = folder / "run";
    fs::create_directory(folder);
    const int status = train_with(fault, at, run);
    if (fault == Fault::disk_full) {
      ASSERT_TRUE(WIFEXITED(status)) << "it ended by a signal";
      ends[fault] += WEXITSTATUS(status) != 0 ? 1 : 0;
      ASSERT_NE(WEXITSTATUS(status), 70) << "an exception that is no Error";
    } else {
      ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
      ++ends[fault];
    }
    ASSERT_EQ(train_with(Fault::none, 0, run), 0) << "it does not resume";
    ASSERT_EQ(results(run), expected);
    int checkpoints = 0;
    for (const auto& entry : fs::directory_iterator(run / "checkpoints")) {
      static_cast<void>(entry);
      ++checkpoints;
    }
    EXPECT_LE(checkpoints, 3) << "what crashes leave is cleared away";
    fs::remove_all(folder);
  }
  for (const Fault fault : kFaults) EXPECT_GT(ends[fault], samples / 4);
}

/// A loss of power keeps what was flushed only: content before the rename that gives it its name,
/// the directory after it, and metrics before the checkpoint that counts on them.
TEST_F(CrashPoints, WritesAreFlushedBeforeTheirNamesAreGiven) {
  fs::create_directory(directory_ / "whole");
  const fs::path run = directory_ / "whole" / "run", log = directory_ / "log";
  ASSERT_EQ(train_with(Fault::none, 0, run, log), 0);
  std::set<std::string> unflushed;
  std::optional<std::string> named;  // By the last rename; its directory is to be flushed.
  int renames = 0, checkpoints = 0;
  for (const Operation& operation : operations_in(log)) {
    if (operation.kind == "write" || operation.kind == "open") unflushed.insert(operation.path);
    if (operation.kind == "fsync") {
      unflushed.erase(operation.path);
      if (named && fs::path(*named).parent_path() == operation.path) named.reset();
    }
    if (operation.kind != "rename") continue;
    ++renames;
    EXPECT_FALSE(named) << *named << " is not durable before " << operation.other;
    named = operation.other;
    for (const std::string& path : unflushed) {
      EXPECT_FALSE(path == operation.path || path.starts_with(operation.path + "/"))
          << path << " is not flushed before it becomes " << operation.other;
    }
    if (!fs::path(operation.other).filename().string().starts_with("step-")) continue;
    ++checkpoints;
    for (const char* file : {"metrics.jsonl", "metrics.csv"}) {
      EXPECT_FALSE(unflushed.contains((run / file).string())) << file << " before a checkpoint";
    }
  }
  EXPECT_GE(checkpoints, 9);
  EXPECT_GT(renames, 2 * checkpoints);
  EXPECT_FALSE(named) << *named;
}

}  // namespace
}  // namespace afterspike::train
