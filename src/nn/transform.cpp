#include "afterspike/nn/transform.hpp"

#include <cmath>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "afterspike/base/error.hpp"

namespace afterspike::nn {
namespace {

void require_rectified(const at::Tensor& physical) {
  const at::Tensor negative = ~(physical >= 0);
  require(!negative.any().item<bool>(), ErrorKind::config, "value {} found, expected 0 or more",
          negative.any().item<bool>() ? physical.masked_select(negative)[0].item<double>() : 0);
}

}  // namespace

Transform Transform::scaled(double factor) {
  Transform transform;
  transform.kind_ = Kind::scaled;
  transform.factor_ = factor;
  return transform;
}

Transform Transform::scaled_by(double factor, std::string limit) {
  Transform transform;
  transform.kind_ = Kind::scaled_by;
  transform.factor_ = factor;
  transform.limit_ = std::move(limit);
  return transform;
}

Transform Transform::bounded(double from, double to) {
  Transform transform;
  transform.kind_ = Kind::bounded;
  transform.from_ = from;
  transform.to_ = to;
  return transform;
}

Transform Transform::bounded_by(double from, double factor, std::string limit) {
  Transform transform;
  transform.kind_ = Kind::bounded_by;
  transform.from_ = from;
  transform.factor_ = factor;
  transform.limit_ = std::move(limit);
  return transform;
}

Transform Transform::below(double from, std::string limit) {
  Transform transform = bounded_by(from, 1, std::move(limit));
  transform.kind_ = Kind::below;
  return transform;
}

Transform Transform::log_bounded(double from, double to) {
  Transform transform = bounded(from, to);
  transform.kind_ = Kind::log_bounded;
  return transform;
}

Transform Transform::rectified() {
  Transform transform;
  transform.kind_ = Kind::rectified;
  return transform;
}

at::Tensor Transform::upper(const at::Tensor& like, const at::Tensor& limit) const {
  if (kind_ == Kind::below) return given(limit);
  if (kind_ != Kind::bounded_by) return at::full({}, to_, like.options());
  return at::clamp_max(given(limit) * factor_, 1.0);
}

const at::Tensor& Transform::given(const at::Tensor& limit) const {
  require(limit.defined(), ErrorKind::internal, "transform {}: the limit was not given", text());
  return limit;
}

at::Tensor Transform::to_physical(const at::Tensor& raw, const at::Tensor& limit) const {
  switch (kind_) {
    case Kind::identity:
      return raw;
    case Kind::scaled:
      return raw * factor_;
    case Kind::scaled_by:
      return raw * (given(limit) * factor_);
    case Kind::log_bounded:
      return from_ * at::exp(std::log(to_ / from_) * at::sigmoid(raw));
    case Kind::rectified:
      return at::relu(raw);
    case Kind::bounded:
    case Kind::bounded_by:
    case Kind::below:
      break;
  }
  return from_ + (upper(raw, limit) - from_) * at::sigmoid(raw);
}

at::Tensor Transform::to_raw(const at::Tensor& physical, const at::Tensor& limit) const {
  switch (kind_) {
    case Kind::identity:
      return physical.clone();
    case Kind::scaled:
      return physical / factor_;
    case Kind::scaled_by:
      return physical / (given(limit) * factor_);
    case Kind::rectified:
      require_rectified(physical);
      return physical.clone();
    case Kind::log_bounded:
    case Kind::bounded:
    case Kind::bounded_by:
    case Kind::below:
      break;
  }
  const at::Tensor end = upper(physical, limit).expand_as(physical);
  const at::Tensor part = (physical - from_) / (end - from_);
  const at::Tensor outside = ~((part > 0) & (part < 1));
  if (outside.any().item<bool>()) {
    const auto first = outside.flatten().nonzero().flatten()[0].item<std::int64_t>();
    fail(ErrorKind::config, "value {} lies outside {}: expected between {} and {}, both excluded",
         physical.flatten()[first].item<double>(), text(), from_,
         end.flatten()[first].item<double>());
  }
  if (kind_ == Kind::log_bounded) {
    return at::log(at::log(physical / from_) / at::log(to_ / physical));
  }
  // log(p / (1 - p)) with both differences taken from the nearer bound: exact near either end.
  return at::log((physical - from_) / (end - physical));
}

std::string Transform::text() const {
  switch (kind_) {
    case Kind::identity:
      return "identity";
    case Kind::scaled:
      return fmt::format("scaled({})", factor_);
    case Kind::scaled_by:
      return fmt::format("scaled({} {})", factor_, limit_);
    case Kind::bounded:
      return fmt::format("bounded({}, {})", from_, to_);
    case Kind::log_bounded:
      return fmt::format("log_bounded({}, {})", from_, to_);
    case Kind::rectified:
      return "rectified";
    case Kind::below:
      return fmt::format("below({}, {})", from_, limit_);
    case Kind::bounded_by:
      break;
  }
  return fmt::format("bounded({}, min(1, {} {}))", from_, factor_, limit_);
}

}  // namespace afterspike::nn
