#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"

namespace afterspike {

/// Returns the candidate closest to `name` by edit distance, or "" if none is close (more than a
/// third of the letters differ).
std::string closest(std::string_view name, std::span<const std::string_view> candidates);

/// Returns " (did you mean 'x'?)", or "" if no candidate is close.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates);

/// Returns the entry called `name`; each Entry has a `name`. Throws Error(usage) that lists the
/// existing names: "no task called 'lin'; there are: ...". '-' and '_' are equivalent.
template <typename Entry>
const Entry& find_entry(std::span<const Entry> entries, std::string_view name,
                        std::string_view kind) {
  std::string plain(name);
  for (char& letter : plain) letter = letter == '-' ? '_' : letter;
  std::vector<std::string_view> names;
  for (const Entry& entry : entries) {
    if (entry.name == plain) return entry;
    names.push_back(entry.name);
  }
  fail(ErrorKind::usage, "no {} called '{}'{}; there are: {}", kind, name,
       did_you_mean(name, names), fmt::join(names, ", "));
}

}  // namespace afterspike
