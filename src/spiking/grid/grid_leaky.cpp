#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <optional>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "grid/grid_group.hpp"
#include "models/leaky.hpp"
#include "models/propagators.hpp"
#include "simulation/steps.hpp"
#include "simulation/stimuli.hpp"

namespace afterspike::spiking {
namespace {

class LeakyGroup final : public GridGroup {
 public:
  LeakyGroup(const Layout& layout, const Piece& piece, Leaky leaky)
      : GridGroup(piece, leaky.receptors),
        name_(layout.population(piece.population).name),
        leaky_(std::move(leaky)),
        stimuli_(layout, piece),
        dt_(layout.dt_ms) {
    make_membrane();
    make_currents();
    make_synapses();
    make_thresholds();
    reset();
  }

  void reset() override;
  std::int64_t advance(std::int64_t step, const Arriving& arriving, std::uint32_t* spiked) override;
  void land(std::span<const Kick> kicks);
  double value(std::int64_t local, std::size_t variable) const override;
  const double* voltages() override;
  CoupledInput* coupled_input(bool wants_courses) override;
  void prepare(std::int64_t step) override;
  std::vector<Row> rows() override;
  void restored(double time_ms) override {
    prepared_ = 0;
    // The saved external currents contain those of electrical synapses.
    if (!coupled_.current.empty()) return update_external(time_ms);
    step_.external = {external_.data(), 1};
    next_change_ = stimuli_.next_change(time_ms - dt_ - slack(time_ms));
  }

 private:
  /// Returns the tolerance, ms, within which a change counts as at a step.
  double slack(double time_ms) const { return slack_of(time_ms / dt_) * dt_; }

  /// The values of formula(neuron) as a coefficient.
  template <typename Formula>
  Coefficient each(const Formula& formula, double padding = 0) {
    std::vector<double> values;
    for (std::int64_t n = piece_.begin; n < piece_.end; ++n) {
      values.push_back(formula(static_cast<std::size_t>(n)));
    }
    return keep(values, padding);
  }
  std::size_t at(std::int64_t row, std::size_t neuron) const {
    return static_cast<std::size_t>(row * leaky_.size) + neuron;
  }
  double membrane(std::size_t n) const { return leaky_.conductance[n] / leaky_.capacitance[n]; }

  void make_membrane();
  void make_currents();
  void make_synapses();
  void make_thresholds();
  void update_external(double time_ms);
  void add_coupled();
  void check_finite(std::int64_t step) const;

  static constexpr std::int64_t kCheck = 32;  ///< Steps between checks, which then cost little.

  std::string name_;
  Leaky leaky_;
  Stimuli stimuli_;
  double dt_, next_change_ = 0;
  std::int64_t prepared_ = 0;  ///< The last step for which prepare() was called.
  LeakyStep step_;
  CoupledInput coupled_;
  Lines absolute_, uncoupled_;  ///< Electrical synapses; empty without.
  Lines voltage_, waiting_, external_, spike_part_, voltage_part_, current_, rise_, synaptic_;
  std::vector<Coefficient> current_keep_, current_mean_, current_factor_, current_add_;
  std::vector<Coefficient> synapse_keep_, synapse_gain_, rise_gain_, rise_keep_, rise_jump_;
};

void LeakyGroup::make_membrane() {
  const auto& p = leaky_;
  step_.columns = columns_;
  step_.keep = each([&](std::size_t n) { return std::exp(-membrane(n) * dt_); });
  step_.gain =
      each([&](std::size_t n) { return -std::expm1(-membrane(n) * dt_) / p.conductance[n]; });
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  step_.threshold = each(
      [&](std::size_t n) {
        const double threshold = p.threshold[n];
        // V >= threshold, as V > the number before it.
        return p.reached_is_crossed ? std::nextafter(threshold, -kInfinity) : threshold;
      },
      kInfinity);
  step_.reset = each([&](std::size_t n) { return p.reset[n]; });
  step_.refractory = each([&](std::size_t n) {
    // Rounded up to whole steps, as NEST does.
    return steps_until(p.refractory[n], dt_);
  });
}

void LeakyGroup::make_currents() {
  const auto& p = leaky_;
  step_.currents = p.currents;
  for (std::int64_t j = 0; j < p.currents; ++j) {
    const auto decay = [&](std::size_t n) { return p.current_decay[at(j, n)]; };
    current_keep_.push_back(each([&](std::size_t n) { return std::exp(-decay(n) * dt_); }));
    current_mean_.push_back(
        each([&](std::size_t n) { return -std::expm1(-decay(n) * dt_) / (decay(n) * dt_); }));
    current_factor_.push_back(each([&](std::size_t n) {
      return p.multiplier[at(j, n)] * std::exp(-decay(n) * p.refractory[n]);
    }));
    current_add_.push_back(each([&](std::size_t n) { return p.amplitude[at(j, n)]; }));
  }
  step_.current_keep = current_keep_.data();
  step_.current_mean = current_mean_.data();
  step_.current_factor = current_factor_.data();
  step_.current_add = current_add_.data();
}

void LeakyGroup::make_synapses() {
  const auto& p = leaky_;
  step_.receptors = p.receptors;
  step_.synapse = p.synapse == SynapseShape::alpha         ? GridSynapse::alpha
                  : p.synapse == SynapseShape::exponential ? GridSynapse::exponential
                                                           : GridSynapse::delta;
  if (p.synapse == SynapseShape::delta) return;
  for (std::int64_t r = 0; r < p.receptors; ++r) {
    const auto rate = [&](std::size_t n) { return 1 / p.synapse_time_constant[at(r, n)]; };
    synapse_keep_.push_back(each([&](std::size_t n) { return std::exp(-rate(n) * dt_); }));
    synapse_gain_.push_back(each(
        [&](std::size_t n) { return convolved(rate(n), membrane(n), dt_) / p.capacitance[n]; }));
    rise_gain_.push_back(each([&](std::size_t n) {
      return convolved_twice(rate(n), membrane(n), dt_) / p.capacitance[n];
    }));
    rise_keep_.push_back(each([&](std::size_t n) { return dt_ * std::exp(-rate(n) * dt_); }));
    rise_jump_.push_back(each([&](std::size_t n) { return std::numbers::e * rate(n); }));
  }
  step_.synapse_keep = synapse_keep_.data();
  step_.synapse_gain = synapse_gain_.data();
  step_.rise_gain = rise_gain_.data();
  step_.rise_keep = rise_keep_.data();
  step_.rise_jump = rise_jump_.data();
}

void LeakyGroup::make_thresholds() {
  const auto& p = leaky_;
  step_.spike_threshold = p.spike_threshold;
  step_.voltage_threshold = p.voltage_threshold;
  if (p.spike_threshold) {
    step_.spike_keep = each([&](std::size_t n) { return std::exp(-p.spike_decay[n] * dt_); });
    step_.spike_refractory =
        each([&](std::size_t n) { return std::exp(-p.spike_decay[n] * p.refractory[n]); });
    step_.spike_add = each([&](std::size_t n) { return p.spike_add[n]; });
    step_.fraction = each([&](std::size_t n) { return p.reset_fraction[n]; });
    step_.add = each([&](std::size_t n) { return p.reset_add[n]; });
  }
  if (p.voltage_threshold) {
    step_.resistance = each([&](std::size_t n) { return 1 / p.conductance[n]; });
    step_.part_keep = each([&](std::size_t n) { return std::exp(-p.voltage_decay[n] * dt_); });
    // a_v (exp(-g h / C) - exp(-b_v h)) / (b_v - g / C), which is not singular where they meet.
    step_.part_gain = each([&](std::size_t n) {
      return p.voltage_index[n] * convolved(membrane(n), p.voltage_decay[n], dt_);
    });
    step_.part_drive = each([&](std::size_t n) {
      return -p.voltage_index[n] * std::expm1(-p.voltage_decay[n] * dt_) / p.voltage_decay[n];
    });
  }
}

void LeakyGroup::reset() {
  const auto columns = static_cast<std::size_t>(columns_);
  const auto currents = static_cast<std::size_t>(leaky_.currents);
  const auto receptors = static_cast<std::size_t>(leaky_.receptors);
  for (Lines* lines : {&voltage_, &waiting_, &external_, &spike_part_, &voltage_part_}) {
    lines->assign(columns, 0.0);
  }
  std::copy(leaky_.initial.begin() + piece_.begin, leaky_.initial.begin() + piece_.end,
            voltage_.begin());
  current_.assign(currents * columns, 0.0);
  rise_.assign(leaky_.synapse == SynapseShape::alpha ? receptors * columns : 0, 0.0);
  synaptic_.assign(leaky_.synapse == SynapseShape::delta ? 0 : receptors * columns, 0.0);
  step_.voltage = voltage_.data();
  step_.waiting = waiting_.data();
  step_.spike_part = spike_part_.data();
  step_.voltage_part = voltage_part_.data();
  step_.current = current_.data();
  step_.rise = rise_.data();
  step_.synaptic = synaptic_.data();
  prepared_ = 0;
  update_external(0);
}

void LeakyGroup::update_external(double time_ms) {
  for (std::int64_t local = 0; local < piece_.size(); ++local) {
    external_[static_cast<std::size_t>(local)] =
        leaky_.constant_current[static_cast<std::size_t>(piece_.begin + local)] +
        stimuli_.current(local, time_ms + slack(time_ms));
  }
  const bool uniform = piece_.size() == columns_ &&
                       std::all_of(external_.begin(), external_.end(),
                                   [&](double current) { return current == external_[0]; });
  step_.external = {external_.data(), uniform ? 0 : 1};
  next_change_ = stimuli_.next_change(time_ms + slack(time_ms));
  if (!coupled_.current.empty()) uncoupled_ = external_;
}

void LeakyGroup::prepare(std::int64_t step) {
  if (step == prepared_) return;
  const double begin = static_cast<double>(step - 1) * dt_;
  if (next_change_ <= begin + slack(begin)) update_external(begin);
  prepared_ = step;
}

std::int64_t LeakyGroup::advance(std::int64_t step, const Arriving& arriving,
                                 std::uint32_t* spiked) {
  prepare(step);
  if (!coupled_.current.empty()) add_coupled();
  const bool delta = step_.synapse == GridSynapse::delta;
  step_.arriving = delta ? sums_of(arriving) : arriving.sums;
  const std::int64_t count = leaky_step(step_, spiked);
  if (!delta) land(arriving.kicks);
  if (step % kCheck == 0) check_finite(step);
  return count;
}

/// A state that is not finite remains so, but for a voltage that an infinite input takes across the
/// threshold: then the input is found.
void LeakyGroup::check_finite(std::int64_t step) const {
  for (const Lines* lines : {&external_, &voltage_, &voltage_part_, &synaptic_, &current_}) {
    if (all_finite(lines->data(), static_cast<std::int64_t>(lines->size()))) continue;
    const auto failed = std::find_if(lines->begin(), lines->end(),
                                     [](double value) { return !std::isfinite(value); });
    fail(ErrorKind::numeric,
         "population '{}': the state of neuron {} is not finite at {} ms. Check its parameters and"
         " input",
         name_, piece_.begin + (failed - lines->begin()) % columns_,
         static_cast<double>(step) * dt_);
  }
}

/// Adds what arrives at the end of the step to the state that synapses have then.
void LeakyGroup::land(std::span<const Kick> kicks) {
  if (step_.synapse == GridSynapse::exponential) {
    for (const Kick& kick : kicks) synaptic_[kick.place] += kick.weight;
    return;
  }
  const auto columns = static_cast<std::uint32_t>(columns_);
  for (const Kick& kick : kicks) {
    const Coefficient& jump = rise_jump_[kick.place / columns];
    rise_[kick.place] += jump.data[jump.step * (kick.place % columns)] * kick.weight;
  }
}

double LeakyGroup::value(std::int64_t local, std::size_t variable) const {
  const auto n = static_cast<std::size_t>(local);
  const auto own = static_cast<std::size_t>(piece_.begin + local);
  const auto sum = [&](const Lines& lines) {
    double total = 0;
    for (std::size_t index = n; index < lines.size(); index += static_cast<std::size_t>(columns_)) {
      total += lines[index];
    }
    return total;
  };
  switch (static_cast<LeakyVariable>(variable)) {
    case LeakyVariable::voltage:
      return leaky_.rest[own] + voltage_[n];
    case LeakyVariable::threshold:
      return leaky_.rest[own] + leaky_.threshold[own] + spike_part_[n] + voltage_part_[n];
    case LeakyVariable::threshold_spike:
      return spike_part_[n];
    case LeakyVariable::threshold_voltage:
      return voltage_part_[n];
    case LeakyVariable::after_spike_current:
      return sum(current_);
    default:
      return sum(synaptic_);
  }
}

/// Absolute voltages; the group keeps them relative to rest.
const double* LeakyGroup::voltages() {
  absolute_.resize(voltage_.size());
  for (std::int64_t local = 0; local < piece_.size(); ++local) {
    const auto n = static_cast<std::size_t>(local);
    absolute_[n] = voltage_[n] + leaky_.rest[static_cast<std::size_t>(piece_.begin + local)];
  }
  return absolute_.data();
}

CoupledInput* LeakyGroup::coupled_input(bool /*wants_courses*/) {
  if (coupled_.current.empty()) {
    coupled_.current.resize(external_.size(), 0.0);
    uncoupled_ = external_;
  }
  return &coupled_;
}

/// Sets the external current to the injected one and that of electrical synapses.
void LeakyGroup::add_coupled() {
  for (std::size_t n = 0; n < external_.size(); ++n) {
    external_[n] = uncoupled_[n] + coupled_.current[n];
  }
  step_.external = {external_.data(), 1};
}

std::vector<GridGroup::Row> LeakyGroup::rows() {
  std::vector<Row> rows = {{"voltage", voltage_.data()},
                           {"waiting", waiting_.data()},
                           {"external", external_.data()},
                           {"threshold_spike", spike_part_.data()},
                           {"threshold_voltage", voltage_part_.data()}};
  const auto add = [&](const std::string& name, Lines& lines) {
    for (std::size_t at = 0; at < lines.size(); at += static_cast<std::size_t>(columns_)) {
      const std::size_t number = at / static_cast<std::size_t>(columns_);
      rows.push_back({fmt::format("{}_{}", name, number), lines.data() + at});
    }
  };
  add("after_spike", current_);
  add("rise", rise_);
  add("synaptic", synaptic_);
  for (const auto& [name, values] : stimuli_.rows()) rows.push_back({name, values});
  return rows;
}

}  // namespace

Coefficient GridGroup::keep(const std::vector<double>& values, double padding) {
  const bool uniform =
      !values.empty() && values.size() == static_cast<std::size_t>(columns_) &&
      std::all_of(values.begin(), values.end(), [&](double value) { return value == values[0]; });
  const auto columns = static_cast<std::size_t>(uniform ? kLanes : columns_);
  Lines& lines = kept_.emplace_back(columns, padding);
  std::copy_n(values.begin(), std::min(columns, values.size()), lines.begin());
  return {lines.data(), uniform ? 0 : 1};
}

double* GridGroup::sums_of(const Arriving& arriving) {
  if (arriving.sums != nullptr) return arriving.sums;
  sums_.resize(static_cast<std::size_t>(receptors_ * places_), 0.0);
  for (const Kick& kick : arriving.kicks) sums_[kick.place] += kick.weight;
  return sums_.data();
}

std::unique_ptr<GridGroup> make_leaky_group(const Layout& layout, const Piece& piece) {
  return std::make_unique<LeakyGroup>(layout, piece,
                                      lower_leaky(layout.population(piece.population)));
}

}  // namespace afterspike::spiking
