#pragma once

#include <cstddef>
#include <limits>
#include <string_view>

#include "afterspike/base/error.hpp"

namespace afterspike::io {

/// Depth up to which JSON is read. nlohmann's parser is a loop, but copying, comparing and writing
/// its values recurse and would exhaust the stack from some 60,000 levels on.
inline constexpr std::size_t kMaxJsonDepth = 100;

/// Members up to which an object is read into an ordered_json, whose lookup is linear: 40,000 took
/// seconds.
inline constexpr std::size_t kMaxJsonMembers = 10'000;

/// Checks depth and members of JSON text before it is parsed, in one pass and without memory of
/// its size. Text that is not valid JSON passes or fails. Throws Error(`kind`) that names `where`.
void check_json_structure(std::string_view text, std::string_view where, ErrorKind kind,
                          std::size_t max_members = kMaxJsonMembers);

}  // namespace afterspike::io
