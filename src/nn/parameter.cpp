#include "afterspike/nn/parameter.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/base/options.hpp"

namespace afterspike::nn {
namespace {

struct Form {
  Initial::Kind kind;
  std::string_view name;
};

constexpr std::array kForms = {
    Form{Initial::Kind::uniform, "uniform"}, Form{Initial::Kind::log_uniform, "log_uniform"},
    Form{Initial::Kind::normal, "normal"}, Form{Initial::Kind::raw_normal, "raw_normal"},
    Form{Initial::Kind::log_spaced, "log_spaced"}};

constexpr std::string_view kOrthogonal = "orthogonal";

/// Removes a number and the spaces around it from the front of `text`.
std::optional<double> take_number(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !std::isfinite(number)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  while (text.starts_with(' ')) text.remove_prefix(1);
  return number;
}

/// Parses the number of "(a)".
std::optional<double> argument(std::string_view text) {
  if (!text.starts_with('(') || !text.ends_with(')')) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  const auto number = take_number(text);
  return number && text.empty() ? number : std::nullopt;
}

/// Parses the two numbers of "(a, b)".
std::optional<std::pair<double, double>> arguments(std::string_view text) {
  if (!text.starts_with('(') || !text.ends_with(')')) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  const auto first = take_number(text);
  if (!first || !text.starts_with(',')) return std::nullopt;
  text.remove_prefix(1);
  const auto second = take_number(text);
  if (!second || !text.empty()) return std::nullopt;
  return std::pair(*first, *second);
}

bool is_bounded(const Initial& initial) {
  return std::abs(initial.first) <= options::kLargest &&
         std::abs(initial.second) <= options::kLargest;
}

bool in_order(const Initial& initial) {
  switch (initial.kind) {
    case Initial::Kind::constant:
    case Initial::Kind::orthogonal:
      return true;
    case Initial::Kind::uniform:
      return initial.first <= initial.second;
    case Initial::Kind::log_uniform:
    case Initial::Kind::log_spaced:
      return initial.first > 0 && initial.first <= initial.second;
    case Initial::Kind::normal:
    case Initial::Kind::raw_normal:
      return initial.second >= 0;
  }
  return false;
}

double draw_one(const Initial& initial, Rng& rng) {
  switch (initial.kind) {
    case Initial::Kind::constant:
    case Initial::Kind::orthogonal:
    case Initial::Kind::log_spaced:
      break;
    case Initial::Kind::uniform:
      return rng.uniform(initial.first, initial.second);
    case Initial::Kind::log_uniform:
      return std::exp(rng.uniform(std::log(initial.first), std::log(initial.second)));
    case Initial::Kind::normal:
    case Initial::Kind::raw_normal:
      return initial.first + initial.second * rng.normal();
  }
  return initial.first;
}

/// Makes the rows of a matrix orthonormal, one after the other (modified Gram-Schmidt, in double
/// precision; random rows are far from dependent).
void orthonormalise(double* matrix, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t i = 0; i < rows; ++i) {
    double* row = matrix + i * columns;
    for (std::int64_t j = 0; j < i; ++j) {
      const double* other = matrix + j * columns;
      const double overlap = std::inner_product(row, row + columns, other, 0.0);
      for (std::int64_t k = 0; k < columns; ++k) row[k] -= overlap * other[k];
    }
    const double length = std::sqrt(std::inner_product(row, row + columns, row, 0.0));
    for (std::int64_t k = 0; k < columns; ++k) row[k] /= length;
  }
}

at::Tensor draw_orthogonal(const std::vector<std::int64_t>& shape, double gain, Rng rng) {
  require(shape.size() == 2, ErrorKind::config,
          "an orthogonal initial value needs a matrix, found {} dimensions", shape.size());
  const bool tall = shape[0] > shape[1];
  const std::int64_t rows = tall ? shape[1] : shape[0];
  const std::int64_t columns = tall ? shape[0] : shape[1];
  at::Tensor matrix = at::empty({rows, columns}, at::kDouble);
  double* data = matrix.data_ptr<double>();
  for (std::int64_t i = 0; i < matrix.numel(); ++i) data[i] = rng.normal();
  orthonormalise(data, rows, columns);
  return (tall ? matrix.t().contiguous() : matrix) * gain;
}

/// Returns values from `first` to `second` along the last dimension; the mean of their logarithms
/// if that has one element.
at::Tensor draw_log_spaced(const std::vector<std::int64_t>& shape, double first, double second) {
  const std::int64_t count = shape.empty() ? 1 : shape.back();
  at::Tensor row = at::empty({count}, at::kDouble);
  for (std::int64_t i = 0; i < count; ++i) {
    const double part = count > 1 ? static_cast<double>(i) / static_cast<double>(count - 1) : 0.5;
    row.data_ptr<double>()[i] = first * std::pow(second / first, part);
  }
  return row.expand(shape).contiguous();
}

}  // namespace

Initial Initial::parse(std::string_view text, std::string_view what) {
  std::string_view rest = text;
  const auto checked = [&](const Initial& initial) {
    require(is_bounded(initial), ErrorKind::config,
            "{}: '{}': expected numbers of at most {} in size", what, text, options::kLargest);
    return initial;
  };
  if (const auto value = take_number(rest); value && rest.empty()) return checked(constant(*value));
  if (text.starts_with(kOrthogonal)) {
    const auto gain = argument(text.substr(kOrthogonal.size()));
    require(gain.has_value(), ErrorKind::config, "{}: '{}': expected orthogonal(gain)", what, text);
    return checked({Kind::orthogonal, *gain, 0});
  }
  for (const Form& form : kForms) {
    if (!text.starts_with(form.name)) continue;
    const auto pair = arguments(text.substr(form.name.size()));
    if (!pair) break;
    const Initial initial{form.kind, pair->first, pair->second};
    require(in_order(initial), ErrorKind::config,
            "{}: '{}': expected low <= high (above 0 for log_uniform "
            "and log_spaced), or a standard deviation of 0 "
            "or more",
            what, text);
    return checked(initial);
  }
  fail(ErrorKind::config,
       "{}: '{}': expected a number, uniform(low, high), log_uniform(low, high), "
       "log_spaced(low, high), normal(mean, sd), raw_normal(mean, sd) or orthogonal(gain)",
       what, text);
}

std::string Initial::text() const {
  if (kind == Kind::orthogonal) return fmt::format("{}({})", kOrthogonal, first);
  for (const Form& form : kForms) {
    if (form.kind == kind) return fmt::format("{}({}, {})", form.name, first, second);
  }
  return fmt::format("{}", first);
}

at::Tensor Initial::draw(const std::vector<std::int64_t>& shape, Rng rng) const {
  if (kind == Kind::orthogonal) return draw_orthogonal(shape, first, rng);
  if (kind == Kind::log_spaced) return draw_log_spaced(shape, first, second);
  at::Tensor values = at::empty(shape, at::kDouble);
  double* data = values.data_ptr<double>();
  for (std::int64_t i = 0; i < values.numel(); ++i) data[i] = draw_one(*this, rng);
  return values;
}

std::string_view group_name(ParameterGroup group) noexcept {
  switch (group) {
    case ParameterGroup::intrinsic:
      return "intrinsic";
    case ParameterGroup::weight:
      return "weight";
    case ParameterGroup::bias:
      break;
  }
  return "bias";
}

}  // namespace afterspike::nn
