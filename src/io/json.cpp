#include "afterspike/io/json.hpp"

#include <array>

#include "afterspike/io/bytes.hpp"
#include "json_reason.hpp"
#include "json_structure.hpp"

namespace afterspike::io {
namespace {

/// The offset of the quote that ends the string whose first quote is at `begin`.
std::size_t end_of_string(std::string_view text, std::size_t begin) {
  std::size_t end = begin + 1;
  while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
  return end;
}

/// The shortest form of a value for a message.
std::string excerpt(const Json& value) {
  constexpr std::size_t kLongest = 200;
  std::string text = value.dump(-1, ' ', /*ensure_ascii=*/true);
  if (text.size() > kLongest) text.replace(kLongest, std::string::npos, "...");
  return text;
}

}  // namespace

void check_json_structure(std::string_view text, std::string_view where, ErrorKind kind,
                          std::size_t max_members) {
  std::array<std::size_t, kMaxJsonDepth> members{};  // Count by open object.
  std::size_t depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char letter = text[at];
    if (letter == '"') {
      at = end_of_string(text, at);
    } else if (letter == '{' || letter == '[') {
      require(depth < kMaxJsonDepth, kind,
              "{}: offset {}: found JSON nested more than {} levels deep, expected {} at most",
              where, at + 1, kMaxJsonDepth, kMaxJsonDepth);
      members[depth++] = 0;
    } else if (letter == '}' || letter == ']') {
      if (depth > 0) --depth;
    } else if (letter == ':' && depth > 0) {
      require(++members[depth - 1] <= max_members, kind,
              "{}: offset {}: found an object of more than {} members, expected {} at most", where,
              at + 1, max_members, max_members);
    }
  }
}

Json parse_json(std::string_view text, std::string_view where, ErrorKind kind) {
  check_json_structure(text, where, kind);
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const nlohmann::json::parse_error& error) {
    fail(kind, "{}: offset {}: not valid JSON: {}", where, error.byte, plain_reason(error.what()));
  } catch (const nlohmann::json::exception& error) {
    fail(kind, "{}: not valid JSON: {}", where, plain_reason(error.what()));
  }
}

Json read_json(const std::filesystem::path& path, ErrorKind kind) {
  const std::vector<std::uint8_t> text = read_file(path, kind);
  return parse_json({reinterpret_cast<const char*>(text.data()), text.size()},
                    fmt::format("'{}'", path.string()), kind);
}

void fail_member_type(const Json& value, std::string_view key, std::string_view where,
                      ErrorKind kind) {
  fail(kind, "{}: member '{}' is of another type than expected; found {}", where, key,
       excerpt(value));
}

}  // namespace afterspike::io
