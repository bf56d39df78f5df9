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

/// The command line of one command, over cxxopts: '-' and '_' are equivalent in flags, unknown
/// flags are refused with "did you mean", --help goes to standard output.
class Arguments {
 public:
  /// `usage` follows the command's name in the help: "RUN [--split test] [--json]".
  Arguments(std::string_view command, std::string_view summary, std::string_view usage);

  /// Adds a flag without a value.
  Arguments& flag(const std::string& name, const std::string& help);

  /// Adds a flag with a value; `placeholder` is its name in the help. An empty `fallback` means no
  /// default.
  Arguments& value(const std::string& name, const std::string& placeholder, const std::string& help,
                   const std::string& fallback = "");

  /// Adds a flag with a value that may be given several times.
  Arguments& values(const std::string& name, const std::string& placeholder,
                    const std::string& help);

  /// Sets the number of expected words without a flag; `names` are for messages, as in "RUN".
  Arguments& positional(std::vector<std::string> names);

  /// Accepts `least` or more words instead; `name` is for messages, as in "RUN".
  Arguments& any_number(std::string name, std::size_t least);

  /// Puts the flags added from now on under a heading of the help.
  Arguments& group(const std::string& name);

  /// Sets a command line that the help shows at its end.
  Arguments& example(const std::string& command);

  /// Adds text below the flags in the help, made on request from the arguments given with --help.
  Arguments& epilogue(std::function<std::string(const Arguments&)> text);

  /// Parses the arguments. Returns false if help was requested and printed; then there is nothing
  /// left to do. Throws Error(usage).
  bool parse(std::span<const std::string> arguments);

  bool has(const std::string& name) const;
  std::string text(const std::string& name) const;
  std::vector<std::string> list(const std::string& name) const;

  /// Returns a whole number, `low` to `high`. Throws Error(usage) that names the flag.
  std::int64_t integer(const std::string& name, std::int64_t low,
                       std::int64_t high = std::numeric_limits<std::int64_t>::max()) const;

  /// Returns numbers separated by commas: "0,0.2,1". Throws Error(usage) that names the flag.
  std::vector<double> numbers(const std::string& name) const;

  /// Returns the words without a flag, as declared by positional() or any_number().
  const std::vector<std::string>& words() const noexcept;

 private:
  struct Impl;  ///< Hides cxxopts, which is slow to compile, from the commands.
  std::shared_ptr<Impl> impl_;
};

}  // namespace afterspike::cli
