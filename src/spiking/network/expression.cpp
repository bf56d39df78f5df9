#include "network/expression.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <vector>

#include "afterspike/base/registry.hpp"

namespace afterspike::spiking {
namespace {

struct Function {
  std::string_view name;
  double (*unary)(double);
};
constexpr std::array kFunctions = {
    Function{"sqrt", [](double x) { return std::sqrt(x); }},
    Function{"exp", [](double x) { return std::exp(x); }},
    Function{"log", [](double x) { return std::log(x); }},
    Function{"round", [](double x) { return std::round(x); }},
    Function{"floor", [](double x) { return std::floor(x); }},
    Function{"ceil", [](double x) { return std::ceil(x); }},
    Function{"abs", [](double x) { return std::abs(x); }},
};

/// A recursive-descent parser; precedence rises from sum to power.
class Parser {
 public:
  Parser(std::string_view text, const std::map<std::string, double, std::less<>>& names)
      : text_(text), names_(names) {}

  double parse() {
    const double value = sum();
    skip_spaces();
    if (at_ < text_.size())
      refuse(fmt::format("found '{}', expected an operator", text_.substr(at_)));
    if (!std::isfinite(value)) refuse("found a value that is not finite");
    return value;
  }

 private:
  [[noreturn]] void refuse(const std::string& message) const {
    fail(ErrorKind::config, "expression '{}': {}", text_, message);
  }
  void skip_spaces() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  bool take(char symbol) {
    skip_spaces();
    if (at_ >= text_.size() || text_[at_] != symbol) return false;
    ++at_;
    return true;
  }
  double sum() {
    double value = product();
    for (;;) {
      if (take('+')) {
        value += product();
      } else if (take('-')) {
        value -= product();
      } else {
        return value;
      }
    }
  }
  double product() {
    double value = power();
    for (;;) {
      if (take('*')) {
        value *= power();
      } else if (take('/')) {
        value /= power();
      } else {
        return value;
      }
    }
  }
  /// Right-associative; a sign binds less: -2^2 is -4.
  double power() {
    constexpr int kMaxDepth = 100;
    if (++depth_ > kMaxDepth) refuse("found more than 100 nested parts");
    double value = 0;
    if (take('-')) {
      value = -power();
    } else if (take('+')) {
      value = power();
    } else {
      value = operand();
      if (take('^')) value = std::pow(value, power());
    }
    --depth_;
    return value;
  }
  double operand() {
    double value = 0;
    if (take('(')) {
      value = sum();
      if (!take(')')) refuse("expected ')'");
    } else if (at_ < text_.size() &&
               (std::isalpha(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_')) {
      value = named();
    } else {
      value = number();
    }
    return value;
  }
  double number() {
    double value = 0;
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc()) refuse("expected a number, a name or '('");
    at_ += static_cast<std::size_t>(end - begin);
    return value;
  }
  double named() {
    const std::size_t begin = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_')) {
      ++at_;
    }
    const std::string_view name = text_.substr(begin, at_ - begin);
    if (take('(')) return call(name);
    const auto found = names_.find(name);
    if (found != names_.end()) return found->second;
    std::vector<std::string_view> known;
    for (const auto& entry : names_) known.push_back(entry.first);
    refuse(fmt::format("no parameter called '{}'{}; there are: {}", name, did_you_mean(name, known),
                       fmt::join(known, ", ")));
  }
  double call(std::string_view name) {
    const double first = sum();
    double value = 0;
    if (name == "min" || name == "max") {
      if (!take(',')) refuse(fmt::format("'{}': expected two values", name));
      const double second = sum();
      value = name == "min" ? std::min(first, second) : std::max(first, second);
    } else {
      const auto found = std::find_if(kFunctions.begin(), kFunctions.end(),
                                      [&](const Function& each) { return each.name == name; });
      if (found == kFunctions.end()) {
        refuse(
            fmt::format("no function called '{}'; there are: sqrt, exp, log, round, floor, ceil,"
                        " abs, min, max",
                        name));
      }
      value = found->unary(first);
    }
    if (!take(')')) refuse("expected ')'");
    return value;
  }

  std::string_view text_;
  const std::map<std::string, double, std::less<>>& names_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

double evaluate(std::string_view expression,
                const std::map<std::string, double, std::less<>>& names) {
  return Parser(expression, names).parse();
}

}  // namespace afterspike::spiking
