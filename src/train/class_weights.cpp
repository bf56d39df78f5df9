#include "class_weights.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <vector>

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"

namespace afterspike::train {
namespace {

std::vector<float> parse_numbers(std::string_view text) {
  std::vector<float> numbers;
  const auto check = [&](bool holds) {
    require(holds, ErrorKind::config,
            "option 'train.class_weights': found '{}', expected none, balanced, or a number of 0 "
            "or more for each class with commas, such as \"1, 2.5\"",
            text);
  };
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  for (;;) {
    while (at != end && *at == ' ') ++at;
    float number = 0;
    const auto [rest, error] = std::from_chars(at, end, number);
    check(error == std::errc() && std::isfinite(number) && number >= 0);
    numbers.push_back(number);
    at = rest;
    while (at != end && *at == ' ') ++at;
    if (at == end) break;
    check(*at == ',');
    ++at;
  }
  check(*std::max_element(numbers.begin(), numbers.end()) > 0);
  return numbers;
}

/// The number of training samples of each class.
at::Tensor count_classes(const tasks::Task& task) {
  constexpr std::int64_t kAtOnce = 256;
  const auto samples = task.split(tasks::Split::train);
  at::Tensor counts = at::zeros({task.shape().output_size}, at::kLong);
  for (std::int64_t begin = 0; begin < samples->size(); begin += kAtOnce) {
    std::vector<std::int64_t> numbers(
        static_cast<std::size_t>(std::min(kAtOnce, samples->size() - begin)));
    std::iota(numbers.begin(), numbers.end(), begin);
    counts += at::bincount(samples->batch(numbers).target, {}, counts.numel());
  }
  return counts;
}

at::Tensor balanced(const tasks::Task& task) {
  const at::Tensor counts = count_classes(task).to(at::kDouble);
  const at::Tensor present = counts > 0;
  const at::Tensor weights = counts.sum() / (present.sum() * counts.clamp_min(1));
  return at::where(present, weights, at::ones_like(weights)).to(at::kFloat);
}

}  // namespace

void require_class_weights(std::string_view text) {
  if (text != "none" && text != "balanced") parse_numbers(text);
}

at::Tensor class_weights(std::string_view text, const tasks::Task& task) {
  if (text == "none") return {};
  require(task.classifies(), ErrorKind::config,
          "option 'train.class_weights': found '{}', expected none: the task has no classes", text);
  if (text == "balanced") return balanced(task);
  const std::vector<float> numbers = parse_numbers(text);
  require(std::ssize(numbers) == task.shape().output_size, ErrorKind::config,
          "option 'train.class_weights': found {} numbers, expected one for each of {} classes",
          numbers.size(), task.shape().output_size);
  return at::tensor(at::ArrayRef<float>(numbers));
}

}  // namespace afterspike::train
