#include "afterspike/base/error.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "support/expect_error.hpp"

namespace afterspike {
namespace {

TEST(Error, StatusesAreTheDocumentedOnes) {
  EXPECT_EQ(exit_status(ErrorKind::usage), 2);
  EXPECT_EQ(exit_status(ErrorKind::config), 3);
  EXPECT_EQ(exit_status(ErrorKind::data), 4);
  EXPECT_EQ(exit_status(ErrorKind::checkpoint), 5);
  EXPECT_EQ(exit_status(ErrorKind::numeric), 6);
  EXPECT_EQ(exit_status(ErrorKind::lost), 7);
  EXPECT_EQ(exit_status(ErrorKind::internal), 70);
}

TEST(Error, WithinPutsContextBeforeAndKeepsTheKind) {
  const Error inner(ErrorKind::checkpoint, "expected 2, found 3");
  const Error outer = inner.within("tensor 'a'").within("file 'b'");
  EXPECT_STREQ(outer.what(), "file 'b': tensor 'a': expected 2, found 3");
  EXPECT_EQ(outer.kind(), ErrorKind::checkpoint);
}

TEST(Error, RequireThrowsJustWhenTheConditionFails) {
  EXPECT_NO_THROW(require(true, ErrorKind::data, "never {}", 1));
  testing::expect_error(ErrorKind::data, {"found 3, expected 4"},
                        [] { require(false, ErrorKind::data, "found {}, expected {}", 3, 4); });
}

}  // namespace
}  // namespace afterspike
