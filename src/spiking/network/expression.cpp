#include "network/expression.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <functional>
#include <utility>
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

template <typename Operation>
Value each_number(Value value, const Operation& operation) {
  for (double& number : value.numbers) number = operation(number);
  return value;
}

/// A recursive-descent parser; precedence rises from sum to power.
class Parser {
 public:
  Parser(std::string_view text, const Values& names) : text_(text), names_(names) {}

  Value parse() {
    Value value = sum();
    skip_spaces();
    if (at_ < text_.size())
      refuse(fmt::format("found '{}', expected an operator", text_.substr(at_)));
    const bool finite = std::all_of(value.numbers.begin(), value.numbers.end(),
                                    [](double number) { return std::isfinite(number); });
    if (!finite) refuse("found a value that is not finite");
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
  /// Combines entry by entry. The smaller value is repeated, if the larger one has rows of it.
  template <typename Operation>
  Value combine(const Value& left, const Value& right, const Operation& operation) const {
    const bool left_leads = left.shape.size() >= right.shape.size();
    const Value &large = left_leads ? left : right, &small = left_leads ? right : left;
    if (!std::equal(small.shape.rbegin(), small.shape.rend(), large.shape.rbegin())) {
      refuse(fmt::format("found arrays of [{}] and [{}] numbers, expected as many",
                         fmt::join(left.shape, ", "), fmt::join(right.shape, ", ")));
    }
    Value value = large;
    for (std::size_t at = 0; at < value.numbers.size(); ++at) {
      value.numbers[at] = operation(left.numbers[at % left.numbers.size()],
                                    right.numbers[at % right.numbers.size()]);
    }
    return value;
  }
  Value sum() {
    Value value = product();
    for (;;) {
      if (take('+')) {
        value = combine(value, product(), std::plus<>());
      } else if (take('-')) {
        value = combine(value, product(), std::minus<>());
      } else {
        return value;
      }
    }
  }
  Value product() {
    Value value = power();
    for (;;) {
      if (take('*')) {
        value = combine(value, power(), std::multiplies<>());
      } else if (take('/')) {
        value = combine(value, power(), std::divides<>());
      } else {
        return value;
      }
    }
  }
  /// Right-associative; a sign binds less: -2^2 is -4.
  Value power() {
    constexpr int kMaxDepth = 100;
    if (++depth_ > kMaxDepth) refuse("found more than 100 nested parts");
    Value value;
    if (take('-')) {
      value = each_number(power(), std::negate<>());
    } else if (take('+')) {
      value = power();
    } else {
      value = operand();
      if (take('^')) {
        value = combine(value, power(), [](double base, double to) { return std::pow(base, to); });
      }
    }
    --depth_;
    return value;
  }
  Value operand() {
    Value value;
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
  Value number() {
    double value = 0;
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc()) refuse("expected a number, a name or '('");
    at_ += static_cast<std::size_t>(end - begin);
    return value;
  }
  Value named() {
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
  /// Adds the entries of each row.
  static Value row_sums(const Value& value) {
    if (value.shape.empty()) return value;
    Value sums({value.shape.begin(), value.shape.end() - 1}, {});
    const std::size_t width = value.shape.back();
    for (std::size_t at = 0; at < value.numbers.size(); at += width) {
      double sum = 0;
      for (std::size_t entry = 0; entry < width; ++entry) sum += value.numbers[at + entry];
      sums.numbers.push_back(sum);
    }
    return sums;
  }
  Value call(std::string_view name) {
    Value value = sum();
    if (name == "min" || name == "max") {
      if (!take(',')) refuse(fmt::format("'{}': expected two values", name));
      const Value second = sum();
      value = name == "min"
                  ? combine(value, second, [](double a, double b) { return std::min(a, b); })
                  : combine(value, second, [](double a, double b) { return std::max(a, b); });
    } else if (name == "sum") {
      value = row_sums(value);
    } else {
      const auto found = std::find_if(kFunctions.begin(), kFunctions.end(),
                                      [&](const Function& each) { return each.name == name; });
      if (found == kFunctions.end()) {
        refuse(
            fmt::format("no function called '{}'; there are: sqrt, exp, log, round, floor, ceil,"
                        " abs, min, max, sum",
                        name));
      }
      value = each_number(std::move(value), found->unary);
    }
    if (!take(')')) refuse("expected ')'");
    return value;
  }

  std::string_view text_;
  const Values& names_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Value evaluate(std::string_view expression, const Values& names) {
  return Parser(expression, names).parse();
}

}  // namespace afterspike::spiking
