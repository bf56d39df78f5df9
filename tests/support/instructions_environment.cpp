// Linked into the tests that run a second time with older instructions: takes them from
// AFTERSPIKE_TEST_INSTRUCTIONS before the first test.

#include <gtest/gtest.h>

#include "support/instructions.hpp"

namespace afterspike::testing {
namespace {

class InstructionsEnvironment : public ::testing::Environment {
 public:
  void SetUp() override { use_instructions_of_environment(); }
};

[[maybe_unused]] const ::testing::Environment* const kInstructions =
    ::testing::AddGlobalTestEnvironment(new InstructionsEnvironment);

}  // namespace
}  // namespace afterspike::testing
