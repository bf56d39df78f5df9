#pragma once

#include <initializer_list>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/base/error.hpp"

namespace afterspike::testing {

/// Expects `action` to throw an Error of this kind whose message has each of `parts`.
template <typename Action>
void expect_error(ErrorKind kind, std::initializer_list<std::string> parts, Action&& action) {
  try {
    action();
    ADD_FAILURE() << "expected an Error with: " << ::testing::PrintToString(parts);
  } catch (const Error& error) {
    EXPECT_EQ(exit_status(error.kind()), exit_status(kind)) << error.what();
    for (const std::string& part : parts) {
      EXPECT_THAT(std::string(error.what()), ::testing::HasSubstr(part));
    }
  }
}

}  // namespace afterspike::testing
