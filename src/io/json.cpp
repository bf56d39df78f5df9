#include "afterspike/io/json.hpp"

#include "afterspike/io/bytes.hpp"
#include "json_reason.hpp"

namespace afterspike::io {
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
