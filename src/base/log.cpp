#include "afterspike/base/log.hpp"

#include <atomic>
#include <cstdio>
#include <mutex>

namespace afterspike::log {
namespace {

std::mutex sink_mutex;
Sink current_sink;
std::atomic<Level> threshold = Level::info;

}  // namespace

Sink set_sink(Sink sink) {
  const std::lock_guard lock(sink_mutex);
  return std::exchange(current_sink, std::move(sink));
}

void set_level(Level level) {
  threshold = level;
}

void write(Level level, std::string_view message) {
  if (level < threshold) return;
  const std::lock_guard lock(sink_mutex);
  if (current_sink) return current_sink(level, message);
  // A full disk or a closed terminal loses the message, and nothing else.
  const std::string line =
      fmt::format("{}{}\n", level == Level::warning ? "warning: " : "", message);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace afterspike::log
