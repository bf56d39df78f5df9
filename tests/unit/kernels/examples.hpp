#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include "afterspike/base/rng.hpp"
#include "afterspike/kernels/sequence.hpp"

/// Shared parts of the tests of whole-sequence kernels.
namespace afterspike::kernels {

using Values = std::vector<double>;

using NamedValues = std::map<std::string, Values>;

/// The part that dropout keeps.
constexpr double kKept = 0.7;

inline Values drawn(std::int64_t size, Rng rng, double low, double high) {
  Values values(static_cast<std::size_t>(size));
  for (double& value : values) value = rng.uniform(low, high);
  return values;
}

inline std::vector<std::uint8_t> drawn_mask(std::int64_t size, Rng rng) {
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(size));
  for (std::uint8_t& kept : mask) kept = rng.uniform() < kKept ? 1 : 0;
  return mask;
}

inline Values every_third_silent(std::int64_t size) {
  Values factors(static_cast<std::size_t>(size), 1);
  for (std::size_t i = 0; i < factors.size(); i += 3) factors[i] = 0;
  return factors;
}

/// Inputs of which few are not zero.
inline void make_sparse(Values& input) {
  for (std::size_t i = 0; i < input.size(); ++i) {
    if (i % 17 != 3) input[i] = 0;
  }
}

struct Outcome {
  Values emitted;
  NamedValues gradients;
};

/// Values and their gradients as a kernel takes them.
template <typename T>
class Held {
 public:
  explicit Held(const NamedValues& values) {
    for (const auto& [name, own] : values) {
      in_[name].assign(own.begin(), own.end());
      out_[name].assign(own.size(), std::numeric_limits<T>::quiet_NaN());
    }
  }
  const T* in(const std::string& name) const { return in_.at(name).data(); }
  T* out(const std::string& name) const { return out_.at(name).data(); }
  Arrays<const T> values() const {
    Arrays<const T> all;
    for (const auto& [name, own] : in_) all[name] = own.data();
    return all;
  }
  /// The places of gradients().
  Arrays<T> targets() const {
    Arrays<T> all;
    for (auto& [name, own] : out_) all[name] = own.data();
    return all;
  }
  NamedValues gradients() const {
    NamedValues result;
    for (const auto& [name, values] : out_) result[name].assign(values.begin(), values.end());
    return result;
  }

 private:
  std::map<std::string, std::vector<T>> in_;
  mutable std::map<std::string, std::vector<T>> out_;
};

/// Masks of an example, of which those that are not there are null.
template <typename T>
class HeldMasks {
 public:
  HeldMasks(const std::optional<Values>& neurons, const std::vector<std::uint8_t>& emitted,
            const std::vector<std::uint8_t>& recurrent) {
    if (neurons) neurons_.assign(neurons->begin(), neurons->end());
    if (neurons) masks_.neurons = neurons_.data();
    if (!emitted.empty()) masks_.emitted = emitted.data();
    if (!recurrent.empty()) masks_.recurrent = recurrent.data();
    masks_.emitted_scale = masks_.recurrent_scale = static_cast<T>(1 / kKept);
  }
  const Masks<T>& masks() const { return masks_; }

 private:
  std::vector<T> neurons_;
  Masks<T> masks_;
};

/// The results of a kernel on an example, whose emissions from step `first` on are `size` values,
/// and its gradients if it keeps a history.
template <typename Model, typename T, typename Example>
Outcome run_kernel(const Example& e, std::int64_t size, const typename Model::Settings& settings,
                   History history, Precision precision = Precision::float32) {
  const Held<T> held(e.values);
  const HeldMasks<T> masks(e.neurons, e.emitted, e.recurrent);
  const Values by = coefficients(e);
  const std::vector<T> outer(by.begin(), by.end());
  std::vector<T> results(by.size());  // Emissions, and magnitudes after them.
  T* magnitude = Model::kMagnitude ? results.data() + size : nullptr;
  SequenceKernel<Model, T> kernel(e.shape, settings, held.values(), masks.masks(), history,
                                  precision);
  kernel.forward(held.in("input"), e.first, results.data(), magnitude);
  Outcome outcome{{results.begin(), results.end()}, {}};
  if (!history.kept) return outcome;
  kernel.backward(held.in("input"),
                  {outer.data(), Model::kMagnitude ? outer.data() + size : nullptr}, held.targets(),
                  held.out("input"));
  outcome.gradients = held.gradients();
  return outcome;
}

inline double distance(const Values& found, const Values& expected) {
  double largest = 0, apart = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    apart = std::max(apart, std::abs(found[i] - expected[i]));
    if (std::isnan(found[i])) return std::numeric_limits<double>::infinity();
  }
  return apart == 0 ? 0 : apart / largest;
}

/// Every so many elements of these values.
inline Values thinned(const Values& values, std::size_t stride) {
  Values few;
  for (std::size_t i = 0; i < values.size(); i += stride) few.push_back(values[i]);
  return few;
}

/// The loss of an example whose reference() and coefficients() go element by element.
template <typename Example>
double loss_of(const Example& e) {
  const Values values = reference(e), by = coefficients(e);
  double loss = 0;
  for (std::size_t i = 0; i < values.size(); ++i) loss += values[i] * by[i];
  return loss;
}

/// Central differences of loss_of(e) in every so many elements of each of e.values.
template <typename Example>
NamedValues differences(Example e, std::size_t stride) {
  NamedValues result;
  for (auto& [name, values] : e.values) {
    for (std::size_t i = 0; i < values.size(); i += stride) {
      const double before = values[i], step = 6e-6;
      values[i] = before + step;
      const double above = loss_of(e);
      values[i] = before - step;
      const double below = loss_of(e);
      values[i] = before;
      result[name].push_back((above - below) / (2 * step));
    }
  }
  return result;
}

/// Results of the kernel as reference() gives them, and gradients as central differences of it do;
/// of these every so many elements.
template <typename Example>
void expect_agreement(const Example& e, const std::string& what, std::size_t stride = 1,
                      double allowed = 2e-7, double allowed_emitted = 1e-13) {
  SCOPED_TRACE(what);
  const Values expected = reference(e);
  const Outcome found = run<double>(e);
  EXPECT_LT(distance(found.emitted, expected), allowed_emitted);
  EXPECT_LT(distance(run<double>(e, History::none()).emitted, expected), allowed_emitted)
      << "without a history";
  for (const auto& [name, gradient] : differences(e, stride)) {
    if (gradient.empty()) continue;
    EXPECT_LT(distance(thinned(found.gradients.at(name), stride), gradient), allowed) << name;
  }
}

/// Runs `work` once with each instruction set that this machine and the kernels have.
template <typename Work>
void with_each_target(const Work& work) {
  const std::int64_t all = hwy::SupportedTargets();
  for (std::int64_t left = all; left != 0; left &= left - 1) {
    hwy::SetSupportedTargetsForTest(left & -left);
    work(hwy::TargetName(left & -left));
  }
  hwy::SetSupportedTargetsForTest(0);
}

/// How far results may be from reference(), and gradients from those of the best instruction set,
/// in double and in single precision.
struct Allowed {
  double emitted, gradient, single_emitted, single_gradient;
};

template <typename Example>
void expect_every_target_agrees(const Example& e, const Allowed& allowed) {
  const Values expected = reference(e);
  const Outcome best = run<double>(e);
  int targets = 0;
  with_each_target([&](const char* name) {
    SCOPED_TRACE(name);
    ++targets;
    const Outcome found = run<double>(e), single = run<float>(e);
    EXPECT_LT(distance(found.emitted, expected), allowed.emitted);
    EXPECT_LT(distance(single.emitted, expected), allowed.single_emitted);
    for (const auto& [key, gradient] : best.gradients) {
      EXPECT_LT(distance(found.gradients.at(key), gradient), allowed.gradient) << key;
      EXPECT_LT(distance(single.gradients.at(key), gradient), allowed.single_gradient) << key;
    }
  });
  EXPECT_GE(targets, 2) << "at least the baseline and one more";
}

}  // namespace afterspike::kernels
