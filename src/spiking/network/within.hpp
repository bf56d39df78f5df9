#pragma once

#include <string>
#include <string_view>

#include "afterspike/base/error.hpp"

namespace afterspike::spiking {

/// Calls action() and returns its result. An Error becomes one of `kind` with `place` before its
/// message, unless the message begins with `named` and so names its place already.
template <typename Action>
auto within(const std::string& place, ErrorKind kind, const Action& action,
            std::string_view named = {}) {
  try {
    return action();
  } catch (const Error& error) {
    if (!named.empty() && std::string_view(error.what()).starts_with(named)) throw;
    throw Error(kind, error.within(place).what());
  }
}

}  // namespace afterspike::spiking
