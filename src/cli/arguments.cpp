#include "arguments.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>
// cxxopts would split values at commas; no argument contains this character.
#define CXXOPTS_VECTOR_DELIMITER '\0'
#include <cxxopts.hpp>

#include "afterspike/base/error.hpp"
#include "afterspike/base/registry.hpp"

namespace afterspike::cli {

namespace {

/// Rewrites "--k" and "--k=2:11" for cxxopts, which expects one-letter names as "-k", with a
/// separate value.
void append_words(const std::string& word, std::vector<std::string>& words) {
  const bool one_letter = word.starts_with("--") && word.find('=') == 3;
  if (!one_letter && !(word.size() == 3 && word.starts_with("--"))) {
    words.push_back(word);
    return;
  }
  words.push_back(word.substr(1, 2));
  if (one_letter) words.push_back(word.substr(4));
}

}  // namespace

struct Arguments::Impl {
  Impl(std::string_view name, std::string_view summary)
      : command(name), options(fmt::format("afterspike {}", name), fmt::format("{}\n", summary)) {}

  std::string command;
  cxxopts::Options options;
  std::vector<std::string> names = {"help"};
  std::vector<std::string> without_value = {"help"};
  std::vector<std::string> with_one_value;
  std::vector<std::string> positional;
  std::optional<std::size_t> least_words;  ///< Min number of words, if any larger number is valid.
  std::string group;                       ///< Heading of the flags that are added next.
  std::vector<std::string> groups = {""};  ///< In the order of the help.
  std::string example;
  std::function<std::string(const Arguments&)> epilogue;
  std::optional<cxxopts::ParseResult> result;
  std::vector<std::string> words;

  /// Returns the help with "Network:" for cxxopts's " Network options:".
  std::string help() const;
  /// Returns a flag in cxxopts's spelling, with '-' for '_'. Throws Error(usage) if there is none.
  std::string canonical(const std::string& argument) const;
};

Arguments::Arguments(std::string_view command, std::string_view summary, std::string_view usage)
    : impl_(std::make_shared<Impl>(command, summary)) {
  impl_->options.custom_help(std::string(usage));
  impl_->options.set_width(100);
  impl_->options.add_options()("h,help", "Prints this.")(
      "words", "", cxxopts::value<std::vector<std::string>>());
  impl_->options.parse_positional({"words"});
  impl_->options.positional_help("");
}

Arguments& Arguments::flag(const std::string& name, const std::string& help) {
  impl_->options.add_options(impl_->group)(name, help);
  impl_->names.push_back(name);
  impl_->without_value.push_back(name);
  return *this;
}

Arguments& Arguments::value(const std::string& name, const std::string& placeholder,
                            const std::string& help, const std::string& fallback) {
  auto value = cxxopts::value<std::string>();
  if (!fallback.empty()) value->default_value(fallback);
  impl_->options.add_options(impl_->group)(name, help, value, placeholder);
  impl_->names.push_back(name);
  impl_->with_one_value.push_back(name);
  return *this;
}

Arguments& Arguments::values(const std::string& name, const std::string& placeholder,
                             const std::string& help) {
  impl_->options.add_options(impl_->group)(name, help, cxxopts::value<std::vector<std::string>>(),
                                           placeholder);
  impl_->names.push_back(name);
  return *this;
}

Arguments& Arguments::positional(std::vector<std::string> names) {
  impl_->positional = std::move(names);
  return *this;
}

Arguments& Arguments::any_number(std::string name, std::size_t least) {
  impl_->positional = {std::move(name)};
  impl_->least_words = least;
  return *this;
}

Arguments& Arguments::group(const std::string& name) {
  impl_->group = name;
  if (std::find(impl_->groups.begin(), impl_->groups.end(), name) == impl_->groups.end()) {
    impl_->groups.push_back(name);
  }
  return *this;
}

Arguments& Arguments::example(const std::string& command) {
  impl_->example = command;
  return *this;
}

Arguments& Arguments::epilogue(std::function<std::string(const Arguments&)> text) {
  impl_->epilogue = std::move(text);
  return *this;
}

std::string Arguments::Impl::help() const {
  std::string text = options.help(groups);
  for (const std::string& name : groups) {
    const std::string heading = fmt::format(" {} options:\n", name);
    const auto place = name.empty() ? text.npos : text.find(heading);
    if (place != text.npos) text.replace(place, heading.size(), name + ":\n");
  }
  return text;
}

std::string Arguments::Impl::canonical(const std::string& argument) const {
  if (argument == "-h") return "--help";
  if (!argument.starts_with("--") || argument.size() == 2) return argument;
  const auto equals = argument.find('=');
  std::string name = argument.substr(2, equals == std::string::npos ? equals : equals - 2);
  std::replace(name.begin(), name.end(), '_', '-');
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    const std::vector<std::string_view> known(names.begin(), names.end());
    fail(ErrorKind::usage, "{}: no flag --{}{}; see afterspike {} --help", command, name,
         did_you_mean(name, known), command);
  }
  const bool plain =
      std::find(without_value.begin(), without_value.end(), name) != without_value.end();
  require(!plain || equals == std::string::npos, ErrorKind::usage,
          "{}: --{} takes no value, found '{}'; see afterspike {} --help", command, name, argument,
          command);
  return "--" + name + (equals == std::string::npos ? "" : argument.substr(equals));
}

bool Arguments::parse(std::span<const std::string> arguments) {
  std::vector<std::string> plain = {"afterspike " + impl_->command};
  for (const std::string& argument : arguments) append_words(impl_->canonical(argument), plain);
  std::vector<const char*> pointers;
  for (const std::string& argument : plain) pointers.push_back(argument.c_str());
  try {
    impl_->result = impl_->options.parse(static_cast<int>(pointers.size()), pointers.data());
  } catch (const cxxopts::exceptions::exception& error) {
    fail(ErrorKind::usage, "{}: {}; see afterspike {} --help", impl_->command, error.what(),
         impl_->command);
  }
  if (impl_->result->count("help") > 0) {
    fmt::print("{}", impl_->help());
    if (impl_->epilogue) fmt::print("{}", impl_->epilogue(*this));
    if (!impl_->example.empty()) fmt::print("\nExample:\n  {}\n", impl_->example);
    return false;
  }
  for (const std::string& name : impl_->with_one_value) {
    require(impl_->result->count(name) <= 1, ErrorKind::usage, "{}: --{} was given twice",
            impl_->command, name);
  }
  if (impl_->result->count("words") > 0)
    impl_->words = (*impl_->result)["words"].as<std::vector<std::string>>();
  const bool fits = impl_->least_words ? impl_->words.size() >= *impl_->least_words
                                       : impl_->words.size() == impl_->positional.size();
  require(fits, ErrorKind::usage, "{}: expected {}, found {} word{}; see afterspike {} --help",
          impl_->command,
          impl_->positional.empty() ? "flags only"
                                    : fmt::format("{}", fmt::join(impl_->positional, " ")),
          impl_->words.size(), impl_->words.size() == 1 ? "" : "s", impl_->command);
  return true;
}

bool Arguments::has(const std::string& name) const {
  return impl_->result->count(name) > 0;
}

std::string Arguments::text(const std::string& name) const {
  return (*impl_->result)[name].as<std::string>();
}

const std::vector<std::string>& Arguments::words() const noexcept {
  return impl_->words;
}

std::vector<std::string> Arguments::list(const std::string& name) const {
  if (!has(name)) return {};
  return (*impl_->result)[name].as<std::vector<std::string>>();
}

std::vector<double> Arguments::numbers(const std::string& name) const {
  const std::string given = text(name);
  std::vector<double> result;
  for (std::string_view rest = given;;) {
    const std::string_view word = rest.substr(0, rest.find(','));
    double number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    require(error == std::errc() && end == word.data() + word.size() && std::isfinite(number),
            ErrorKind::usage, "--{}: found '{}' in '{}', expected numbers such as 0,0.5,1", name,
            word, given);
    result.push_back(number);
    if (word.size() == rest.size()) return result;
    rest.remove_prefix(word.size() + 1);
  }
}

std::int64_t Arguments::integer(const std::string& name, std::int64_t low,
                                std::int64_t high) const {
  const std::string given = text(name);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), number);
  const bool whole = error != std::errc::invalid_argument && end == given.data() + given.size();
  const bool negative = given.starts_with('-');
  require(whole && (error == std::errc() ? number >= low : !negative), ErrorKind::usage,
          "--{}: found '{}', expected a whole number, {} or more", name, given, low);
  require(error == std::errc() && number <= high, ErrorKind::usage,
          "--{}: found '{}', which is too large; expected at most {}", name, given, high);
  return number;
}

}  // namespace afterspike::cli
