#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace afterspike::cli {

/// The command line of one command, over cxxopts: '-' and '_' alike in flags, unknown flags refused
/// with "did you mean", --help on standard output.
class Arguments {
 public:
  /// `usage` follows the command's name in the help: "RUN [--split test] [--json]".
  Arguments(std::string_view command, std::string_view summary, std::string_view usage);

  /// A flag without a value.
  Arguments& flag(const std::string& name, const std::string& help);

  /// A flag with a value; `shown` is what the help calls it. An empty `fallback` means no default.
  Arguments& value(const std::string& name, const std::string& shown, const std::string& help,
                   const std::string& fallback = "");

  /// The same, and it may be given several times.
  Arguments& values(const std::string& name, const std::string& shown, const std::string& help);

  /// How many words without a flag are expected; `names` are for the message, as in "RUN".
  Arguments& positional(std::vector<std::string> names);

  /// Any number of words from `least` on instead; `name` is for the message, as in "RUN".
  Arguments& any_number(std::string name, std::size_t least);

  /// Text below the flags in the help, made when it is wanted.
  Arguments& epilogue(std::function<std::string()> text);

  /// Parses. False when help was asked for and printed: then there is nothing left to do. Throws
  /// Error(usage).
  bool parse(std::span<const std::string> arguments);

  bool has(const std::string& name) const;
  std::string text(const std::string& name) const;
  std::vector<std::string> list(const std::string& name) const;

  /// A whole number, `low` to `high`. Throws Error(usage) that names the flag.
  std::int64_t integer(const std::string& name, std::int64_t low,
                       std::int64_t high = std::numeric_limits<std::int64_t>::max()) const;

  /// Numbers with commas between: "0,0.2,1". Throws Error(usage) that names the flag.
  std::vector<double> numbers(const std::string& name) const;

  /// The words without a flag, as many as positional() or any_number() says.
  const std::vector<std::string>& words() const noexcept;

 private:
  struct Impl;  ///< Keeps cxxopts, which is slow to compile, out of the commands.
  std::shared_ptr<Impl> impl_;
};

}  // namespace afterspike::cli
