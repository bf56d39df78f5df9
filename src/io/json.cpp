#include "afterspike/io/json.hpp"

#include "afterspike/io/bytes.hpp"

namespace afterspike::io {
namespace {

/// What nlohmann says, without its "[json.exception.parse_error.101] ".
std::string_view plain_reason(std::string_view message) {
  const auto end = message.starts_with('[') ? message.find("] ") : std::string_view::npos;
  return end == std::string_view::npos ? message : message.substr(end + 2);
}

}  // namespace

Json read_json(const std::filesystem::path& path, ErrorKind kind) {
  const std::vector<std::uint8_t> text = read_file(path, kind);
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const nlohmann::json::parse_error& error) {
    fail(kind, "'{}': offset {}: not valid JSON: {}", path.string(), error.byte,
         plain_reason(error.what()));
  } catch (const nlohmann::json::exception& error) {
    fail(kind, "'{}': not valid JSON: {}", path.string(), plain_reason(error.what()));
  }
}

}  // namespace afterspike::io
