#pragma once

#include <functional>
#include <string_view>
#include <utility>

#include <fmt/core.h>

/// Messages for people, on standard error unless a sink is set. Standard output carries a command's
/// product only.
namespace afterspike::log {

enum class Level { debug, info, warning };

using Sink = std::function<void(Level, std::string_view message)>;

/// Replaces the destination of messages and returns the previous one. An empty sink restores the
/// default. Thread-safe.
Sink set_sink(Sink sink);

/// Drops messages below this level; default: info.
void set_level(Level level);

void write(Level level, std::string_view message);

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace afterspike::log
