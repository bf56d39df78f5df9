#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <nlohmann/json.hpp>

#include "afterspike/base/error.hpp"

namespace afterspike::io {

/// JSON with keys in order of writing, so that files are stable and readable.
using Json = nlohmann::ordered_json;

/// Reads a JSON file. Throws Error(`kind`) that names file and offset if it is missing, damaged,
/// nested more than 100 levels deep, or has an object of more than 10,000 members.
Json read_json(const std::filesystem::path& path, ErrorKind kind);

/// The same for text from elsewhere; `where` names it in messages.
Json parse_json(std::string_view text, std::string_view where, ErrorKind kind);

/// Returns whether `value` is exactly a T. nlohmann's get<T>() would cut 1.5 to 1, wrap -1 around
/// and read true as 1.
template <typename T>
bool holds(const Json& value) {
  if constexpr (std::is_same_v<T, Json>) {
    return true;
  } else if constexpr (std::is_same_v<T, bool>) {
    return value.is_boolean();
  } else if constexpr (std::is_integral_v<T>) {
    if (value.is_number_unsigned()) return std::in_range<T>(value.get<std::uint64_t>());
    return value.is_number_integer() && std::in_range<T>(value.get<std::int64_t>());
  } else if constexpr (std::is_floating_point_v<T>) {
    return value.is_number();
  } else if constexpr (requires(T list) { list.emplace_back(); }) {
    return value.is_array() &&
           std::all_of(value.begin(), value.end(), holds<typename T::value_type>);
  } else {
    return true;  // get() checks it.
  }
}

/// Throws Error(`kind`): the member is there, but of another type.
[[noreturn]] void fail_member_type(const Json& value, std::string_view key, std::string_view where,
                                   ErrorKind kind);

/// Returns the member `key` of `object` as T. Throws Error(`kind`) that names `where` and the
/// member if it is missing, of another type or out of the range of T.
template <typename T>
T member(const Json& object, std::string_view key, std::string_view where, ErrorKind kind) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  require(object.is_object() && found != object.end(), kind, "{}: member '{}' is missing", where,
          key);
  try {
    if (holds<T>(*found)) return found->template get<T>();
  } catch (const nlohmann::json::exception&) {  // Reported below.
  }
  fail_member_type(*found, key, where, kind);
}

}  // namespace afterspike::io
