#include "grid/ode_refined.hpp"

#include <algorithm>
#include <cstddef>

namespace afterspike::spiking {

/// Rows of the listed columns; padding repeats the last one.
double* Refined::take(const double* from, std::int64_t rows) {
  double* const first = values_.data() + used_;
  double* to = first;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (const std::uint32_t column : columns_) *to++ = from[row * stride_ + column];
    const double last = from[row * stride_ + columns_.back()];
    to = std::fill_n(to, step_.columns - static_cast<std::int64_t>(columns_.size()), last);
  }
  used_ += static_cast<std::size_t>(rows * step_.columns);
  return first;
}

Coefficient Refined::take(const Coefficient& from) {
  return from.step == 0 ? from : Coefficient{take(from.data), 1};
}

OdeStep& Refined::pack(const OdeStep& from, const OdeRule& rule) {
  const auto receptors = static_cast<std::int64_t>(rule.shapes.size());
  const auto states = static_cast<std::int64_t>(rule.states);
  columns_.assign(from.list, from.list + from.listed);
  stride_ = from.columns;
  step_ = from;
  step_.level = level_;
  step_.neurons = from.listed;
  step_.columns = (from.listed + kLanes - 1) / kLanes * kLanes;
  step_.count = step_.listed = 0;
  step_.failed = -1;
  step_.fired_twice = false;
  const auto columns = static_cast<std::size_t>(step_.columns);
  const std::size_t decays = rule.shapes.size() * Decay::count;
  const std::size_t rows = rule.states + 3 * rule.shapes.size() + rule.coefficients + decays + 13;
  if (values_.size() < rows * columns) values_.resize(rows * columns);
  used_ = 0;
  spiked_.resize(columns);
  list_.resize(columns);
  step_.spiked = spiked_.data();
  step_.list = list_.data();
  step_.states = take(from.states, states);
  step_.synapses = take(from.synapses, receptors);
  step_.rises = take(from.rises, receptors);
  step_.waiting = take(from.waiting);
  if (from.arriving != nullptr) step_.arriving = take(from.arriving, receptors);
  if (from.coupled != nullptr) step_.coupled = take(from.coupled);
  if (from.gap.conductance != nullptr) {
    step_.gap = {take(from.gap.conductance), take(from.gap.current, 4), take(from.gap.shown, 3)};
  }
  if (from.random != nullptr) step_.random = take(from.random);
  coefficients_.clear();
  for (std::size_t row = 0; row < rule.coefficients; ++row) {
    coefficients_.push_back(take(from.coefficients[row]));
  }
  decays_.clear();
  for (std::size_t row = 0; row < decays; ++row) decays_.push_back(take(from.decays[row]));
  step_.coefficients = coefficients_.data();
  step_.decays = decays_.data();
  step_.refractory = take(from.refractory);
  step_.current = take(from.current);
  return step_;
}

void Refined::put_back(const double* from, double* to, std::int64_t rows) const {
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::size_t at = 0; at < columns_.size(); ++at) {
      to[row * stride_ + columns_[at]] = from[row * step_.columns + static_cast<std::int64_t>(at)];
    }
  }
}

void Refined::unpack(OdeStep& to, const OdeRule& rule) const {
  const auto receptors = static_cast<std::int64_t>(rule.shapes.size());
  put_back(step_.states, to.states, static_cast<std::int64_t>(rule.states));
  put_back(step_.synapses, to.synapses, receptors);
  put_back(step_.rises, to.rises, receptors);
  put_back(step_.waiting, to.waiting, 1);
  if (to.arriving != nullptr) put_back(step_.arriving, to.arriving, receptors);
  if (to.gap.shown != nullptr) put_back(step_.gap.shown, to.gap.shown, 3);
  for (std::int64_t spike = 0; spike < step_.count; ++spike) {
    to.spiked[to.count++] = columns_[step_.spiked[spike]];
  }
  if (step_.failed >= 0 && to.failed < 0) {
    to.failed = columns_[static_cast<std::size_t>(step_.failed)];
    to.fired_twice = step_.fired_twice;
  }
}

}  // namespace afterspike::spiking
