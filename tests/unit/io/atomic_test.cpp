#include "afterspike/io/atomic.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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

TEST(WriteFile, WritesWhatALinkStandsFor) {
  const TempDir folder;
  fs::create_directory(folder / "there");
  fs::create_symlink("there/a.txt", folder / "link");
  fs::create_symlink("link", folder / "second");
  for (const char* content : {"new", "replaced"}) {
    write_file(folder / "second", content);
    EXPECT_EQ(slurp(folder / "there/a.txt"), content);
  }
  EXPECT_EQ(fs::read_symlink(folder / "link"), "there/a.txt");
  EXPECT_EQ(fs::read_symlink(folder / "second"), "link");
  fs::create_symlink("round", folder / "round");
  expect_error(ErrorKind::data, {(folder / "round").string(), "in a circle"},
               [&] { write_file(folder / "round", "x"); });
}

TEST(WriteFile, WritesIntoAPipe) {
  const TempDir folder;
  const fs::path pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_TRUE(is_stream(pipe));
  std::string received;
  {
    const std::jthread reader([&] { received = slurp(pipe); });
    write_file(pipe, "rows");
  }
  EXPECT_EQ(received, "rows");
  EXPECT_TRUE(fs::is_fifo(pipe));
  write_file("/dev/null", "rows");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(WriteFile, AppendsToAFileThatIsOpen) {
  const TempDir folder;
  spill(folder / "a.txt", "before, ");
  const int descriptor = ::open((folder / "a.txt").c_str(), O_WRONLY);
  fs::create_symlink("/dev/fd/" + std::to_string(descriptor), folder / "link");
  EXPECT_TRUE(is_stream(folder / "link"));
  write_file(folder / "link", "after");
  ::close(descriptor);
  EXPECT_EQ(slurp(folder / "a.txt"), "before, after");
  EXPECT_FALSE(is_stream(folder / "a.txt"));
  EXPECT_FALSE(is_stream(folder / "none"));
  EXPECT_FALSE(is_stream(folder.path()));
}

TEST(AtomicDirectory, IsNotThereBeforeCommitAndCompleteAfter) {
  const TempDir folder;
  const fs::path path = folder / "deep/run";
  AtomicDirectory directory(path);
  spill(directory.staging() / "a", "1");
  fs::create_directory(directory.staging() / "inner");
  spill(directory.staging() / "inner/b", "2");
  EXPECT_FALSE(fs::exists(path));
  ASSERT_EQ(names_in(folder / "deep").size(), 1U);
  EXPECT_TRUE(names_in(folder / "deep")[0].starts_with(".run.")) << "hidden while it is made";
  directory.commit();
  EXPECT_EQ(slurp(path / "a"), "1");
  EXPECT_EQ(slurp(path / "inner/b"), "2");
  EXPECT_EQ(names_in(folder / "deep"), std::vector<std::string>{"run"});
  expect_error(ErrorKind::internal, {"committed twice"}, [&] { directory.commit(); });
}

TEST(AtomicDirectory, WithoutCommitNothingRemains) {
  const TempDir folder;
  {
    const AtomicDirectory directory(folder / "run");
    spill(directory.staging() / "a", "new");
  }
  EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(AtomicDirectory, WhatIsThereStays) {
  const TempDir folder;
  for (const char* name : {"run.tmp", "run.old", "run"}) {
    fs::create_directory(folder / name);
    spill(folder / (std::string(name) + "/a"), "a user's");
  }
  fs::create_directory(folder / "empty");
  const std::vector<std::string> before = names_in(folder.path());
  for (const char* name : {"run", "run/", "empty"}) {
    expect_error(ErrorKind::data, {"exists already"}, [&] { AtomicDirectory(folder / name); });
  }
  // A directory that appears after the start stays, too.
  AtomicDirectory directory(folder / "late");
  fs::create_directory(folder / "late");
  expect_error(ErrorKind::data, {(folder / "late").string(), "exists already"},
               [&] { directory.commit(); });
  fs::remove(folder / "late");
  directory.commit();
  fs::remove(folder / "late");
  EXPECT_EQ(names_in(folder.path()), before);
  EXPECT_EQ(slurp(folder / "run.tmp/a"), "a user's");
}

TEST(AtomicDirectory, ASlashAtTheEndMeansTheSame) {
  const TempDir folder;
  AtomicDirectory directory(fs::path((folder / "run").string() + "/"));
  directory.commit();
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"run"});
}

TEST(PublishFile, RenamesAndReplaces) {
  const TempDir folder;
  spill(folder / "new", "new");
  spill(folder / "place", "old");
  publish_file(folder / "new", folder / "place");
  EXPECT_EQ(slurp(folder / "place"), "new");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"place"});
  expect_error(ErrorKind::data, {(folder / "new").string(), "No such file"},
               [&] { publish_file(folder / "new", folder / "place"); });
}

TEST(AtomicFile, IsThereOnceCommitted) {
  const TempDir folder;
  spill(folder / "net.h5", "old");
  {
    AtomicFile file(folder / "net.h5");
    spill(file.staging(), "half");
  }
  EXPECT_EQ(slurp(folder / "net.h5"), "old");
  AtomicFile file(folder / "net.h5");
  spill(file.staging(), "new");
  file.commit();
  EXPECT_EQ(slurp(folder / "net.h5"), "new");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"net.h5"});
}

TEST(SetAside, PutsBackUnlessDiscarded) {
  const TempDir folder;
  const fs::path net = folder / "net";
  fs::create_directory(net);
  spill(net / "a", "old");
  {
    const SetAside before(net);
    EXPECT_FALSE(fs::exists(net));
  }
  EXPECT_EQ(slurp(net / "a"), "old");
  SetAside before(folder.path() / "net/");
  spill(net, "a file now");
  before.discard();
  EXPECT_EQ(slurp(net), "a file now");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"net"});
  SetAside(folder / "nothing").discard();
}

TEST(SetAside, LinksAndStreamsStay) {
  const TempDir folder;
  spill(folder / "far", "old");
  fs::create_symlink("far", folder / "near");
  SetAside before(folder / "near");
  EXPECT_EQ(names_in(folder.path()).back(), "near");
  EXPECT_FALSE(fs::exists(folder / "far"));
  before.discard();
  SetAside("/dev/null").discard();
  EXPECT_TRUE(fs::exists("/dev/null"));
}

TEST(SetAside, ADirectoryThatIsWorkedInIsRefused) {
  const fs::path here = fs::current_path();
  for (const fs::path& path : {here, here.parent_path(), fs::path("."), fs::path("/")}) {
    expect_error(ErrorKind::data, {"a directory that the program works in"},
                 [&] { SetAside{path}; });
  }
  EXPECT_TRUE(fs::exists(here));
}

TEST(AtomicDirectory, AFileInTheWayOfAParentIsNamed) {
  const TempDir folder;
  spill(folder / "file", "x");
  expect_error(ErrorKind::data, {(folder / "file/.run.").string(), "Not a directory"},
               [&] { AtomicDirectory(folder / "file/run"); });
}

/// A run from somebody else cannot have other files of the user written.
TEST(ReplaceFile, ReplacesALinkAndNotWhatItNames) {
  const TempDir folder;
  spill(folder / "victim", "years of work");
  fs::create_symlink("victim", folder / "link");
  replace_file(folder / "link", "new");
  EXPECT_EQ(slurp(folder / "link"), "new");
  EXPECT_FALSE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(slurp(folder / "victim"), "years of work");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  replace_file(folder / "pipe", "new");  // To write into it would wait for a reader.
  EXPECT_EQ(slurp(folder / "pipe"), "new");
}

TEST(AppendLine, CreatesAndExtendsFilesAndRefusesLinks) {
  const TempDir folder;
  append_line(folder / "a", "1");
  append_line(folder / "a", "2");
  flush_file(folder / "a");
  flush_file(folder / "absent");
  EXPECT_EQ(slurp(folder / "a"), "1\n2\n");
  fs::create_symlink("a", folder / "link");
  expect_error(ErrorKind::data, {"link", "cannot be written"},
               [&] { append_line(folder / "link", "3"); });
  EXPECT_EQ(slurp(folder / "a"), "1\n2\n");
}

}  // namespace
}  // namespace afterspike::io
