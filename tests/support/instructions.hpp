#pragma once

#include <cstdlib>

#include "afterspike/kernels/instructions.hpp"

namespace afterspike::testing {

/// Limits the kernels to the instructions named by AFTERSPIKE_TEST_INSTRUCTIONS, such as "avx2", so
/// that one machine can run the tests as an older processor would; no limit if it is not set.
inline void use_instructions_of_environment() {
  const char* name = std::getenv("AFTERSPIKE_TEST_INSTRUCTIONS");
  if (name != nullptr && *name != '\0') kernels::use_instructions(name);
}

}  // namespace afterspike::testing
