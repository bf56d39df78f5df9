#pragma once

#include <string_view>

namespace afterspike::io {

/// Returns nlohmann's message without its "[json.exception.parse_error.101] ".
inline std::string_view plain_reason(std::string_view message) {
  const auto end = message.starts_with('[') ? message.find("] ") : std::string_view::npos;
  return end == std::string_view::npos ? message : message.substr(end + 2);
}

}  // namespace afterspike::io
