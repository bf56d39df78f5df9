#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace afterspike::bench {

/// Returns the result of `work`, computed in a copy of this process. Rethrows the Error of that
/// process; nullopt if it ran out of memory. REQUIRES: no other thread of this process is at work.
std::optional<std::string> bytes_in_child(const std::function<std::string()>& work);

/// As bytes_in_child(), for values without pointers.
template <typename T>
std::optional<std::vector<T>> in_child(const std::function<std::vector<T>()>& work) {
  static_assert(std::is_trivially_copyable_v<T>);
  const auto bytes = bytes_in_child([&] {
    const std::vector<T> values = work();
    return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  });
  if (!bytes) return std::nullopt;
  std::vector<T> values(bytes->size() / sizeof(T));
  bytes->copy(reinterpret_cast<char*>(values.data()), bytes->size());
  return values;
}

}  // namespace afterspike::bench
