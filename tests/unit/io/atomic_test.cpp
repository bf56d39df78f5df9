#include "afterspike/io/atomic.hpp"

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::io {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using testing::slurp;
using testing::spill;
using testing::TempDir;

std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(WriteFile, CreatesAndReplacesAndLeavesNothingElse) {
  const TempDir folder;
  for (const std::string content : {"first", "", "a longer third\n"}) {
    write_file(folder / "a.txt", content);
    EXPECT_EQ(slurp(folder / "a.txt"), content);
    EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"a.txt"});
  }
}

TEST(WriteFile, AReaderNeverSeesAPart) {
  const TempDir folder;
  const fs::path path = folder / "a.txt";
  const std::string contents[] = {std::string(300'000, 'a'), std::string(200'000, 'b')};
  write_file(path, contents[0]);
  std::atomic<bool> done = false;
  {
    const auto write_all = [&] {
      for (int i = 0; i < 100; ++i) write_file(path, contents[i % 2]);
      done = true;
    };
    const std::jthread one(write_all), two(write_all);
    while (!done) {
      const std::string seen = slurp(path);
      ASSERT_TRUE(seen == contents[0] || seen == contents[1]) << seen.size();
    }
  }
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"a.txt"});
}

TEST(WriteFile, AFailureNamesThePathAndLeavesWhatWas) {
  const TempDir folder;
  expect_error(ErrorKind::data,
               {"'" + (folder / "no/a.txt").string() + "' cannot be written", "No such file"},
               [&] { write_file(folder / "no/a.txt", "x"); });
  fs::create_directory(folder / "directory");
  expect_error(ErrorKind::data, {(folder / "directory").string(), "Is a directory"},
               [&] { write_file(folder / "directory", "x"); });
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"directory"});
}

TEST(AtomicDirectory, IsNotThereBeforeCommitAndCompleteAfter) {
  const TempDir folder;
  const fs::path path = folder / "deep/run";
  AtomicDirectory directory(path);
  EXPECT_EQ(directory.staging(), folder / "deep/run.tmp");
  spill(directory.staging() / "a", "1");
  fs::create_directory(directory.staging() / "inner");
  spill(directory.staging() / "inner/b", "2");
  EXPECT_FALSE(fs::exists(path));
  directory.commit();
  EXPECT_EQ(slurp(path / "a"), "1");
  EXPECT_EQ(slurp(path / "inner/b"), "2");
  EXPECT_EQ(names_in(folder / "deep"), std::vector<std::string>{"run"});
  expect_error(ErrorKind::internal, {"committed twice"}, [&] { directory.commit(); });
}

TEST(AtomicDirectory, WithoutCommitNothingRemainsAndTheOldStays) {
  const TempDir folder;
  fs::create_directory(folder / "run");
  spill(folder / "run/a", "old");
  {
    const AtomicDirectory directory(folder / "run");
    spill(directory.staging() / "a", "new");
  }
  EXPECT_EQ(slurp(folder / "run/a"), "old");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"run"});
}

TEST(AtomicDirectory, ReplacesAllOfTheOldOne) {
  const TempDir folder;
  fs::create_directory(folder / "run");
  spill(folder / "run/old", "old");
  // A slash at the end must not put the staging inside of the directory.
  AtomicDirectory directory(fs::path((folder / "run").string() + "/"));
  spill(directory.staging() / "new", "new");
  EXPECT_EQ(names_in(folder / "run"), std::vector<std::string>{"old"});
  directory.commit();
  EXPECT_EQ(names_in(folder / "run"), std::vector<std::string>{"new"});
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"run"});
}

TEST(AtomicDirectory, WhatACrashLeftIsClearedAway) {
  const TempDir folder;
  fs::create_directory(folder / "run.tmp");
  spill(folder / "run.tmp/half", "half");
  AtomicDirectory directory(folder / "run");
  EXPECT_TRUE(fs::is_empty(directory.staging()));
  directory.commit();
  EXPECT_TRUE(fs::is_empty(folder / "run"));
}

TEST(AtomicDirectory, ADirectoryThatACrashLeftAsideComesBack) {
  const TempDir folder;
  fs::create_directory(folder / "run.old");
  spill(folder / "run.old/a", "old");
  { const AtomicDirectory directory(folder / "run"); }
  EXPECT_EQ(slurp(folder / "run/a"), "old");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"run"});
}

TEST(AtomicDirectory, AFileInTheWayOfAParentIsNamed) {
  const TempDir folder;
  spill(folder / "file", "x");
  expect_error(ErrorKind::data, {(folder / "file/run").string(), "Not a directory"},
               [&] { AtomicDirectory(folder / "file/run"); });
}

}  // namespace
}  // namespace afterspike::io
