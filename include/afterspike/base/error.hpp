#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace afterspike {

/// Kinds of errors, as a caller or a shell script distinguishes them. exit_status() has the exit
/// statuses.
enum class ErrorKind {
  usage,       ///< Command line: an unknown flag, command or name.
  config,      ///< An option whose value is out of range or contradicts another.
  data,        ///< A data file that is missing, damaged or of another form.
  checkpoint,  ///< A run or checkpoint that is missing, damaged or does not fit.
  numeric,     ///< A value that is not finite.
  lost,        ///< One of several processes ended or cannot be reached.
  internal,    ///< A mistake of ours.
};

/// The one exception type of the library. Its message names the subject, the problem and the value.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}

  ErrorKind kind() const noexcept { return kind_; }

  /// Returns the same error with context before its message: "checkpoint 'a': tensor 'b': expected
  /// ...".
  Error within(std::string_view context) const {
    return Error(kind_, fmt::format("{}: {}", context, what()));
  }

 private:
  ErrorKind kind_;
};

/// Exit status of the program for an error: usage 2, config 3, data 4, checkpoint 5, numeric 6,
/// lost 7, internal 70.
int exit_status(ErrorKind kind) noexcept;

/// Throws Error(kind) with a formatted message.
template <typename... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

/// Throws Error(kind) with a formatted message unless `condition` holds.
template <typename... Args>
void require(bool condition, ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) fail(kind, format, std::forward<Args>(args)...);
}

}  // namespace afterspike
