#include "afterspike/io/lock.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::io {
namespace {

/// Returns whether another process can take the lock.
bool another_can_take(const std::filesystem::path& path) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(Lock::try_take(path).has_value() ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(Lock, HoldsADirectoryUntilItsEnd) {
  const testing::TempDir folder;
  {
    std::optional<Lock> lock = Lock::try_take(folder.path());
    ASSERT_TRUE(lock.has_value());
    EXPECT_FALSE(another_can_take(folder.path()));
    const Lock moved = std::move(*lock);
    lock.reset();
    EXPECT_FALSE(another_can_take(folder.path())) << "the lock went with the object";
  }
  EXPECT_TRUE(another_can_take(folder.path()));
  const Lock waited = Lock::wait(folder.path());
  EXPECT_FALSE(another_can_take(folder.path()));
}

TEST(Lock, NamesWhatCannotBeOpened) {
  const testing::TempDir folder;
  testing::expect_error(ErrorKind::data, {(folder / "none").string(), "No such file"},
                        [&] { Lock::try_take(folder / "none"); });
}

}  // namespace
}  // namespace afterspike::io
