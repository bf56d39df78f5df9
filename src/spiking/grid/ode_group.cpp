#include "grid/ode_group.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "afterspike/base/error.hpp"
#include "afterspike/base/rng.hpp"
#include "grid/ode_refined.hpp"
#include "simulation/steps.hpp"
#include "simulation/stimuli.hpp"

namespace afterspike::spiking {
namespace {

class OdeGroup final : public GridGroup {
 public:
  OdeGroup(const Layout& layout, const Piece& piece, OdeRule rule)
      : GridGroup(piece, layout.population(piece.population).receptors),
        layout_(layout),
        population_(layout.population(piece.population)),
        model_(model(population_.model)),
        rule_(std::move(rule)),
        stimuli_(layout, piece),
        dt_(layout.dt_ms) {
    step_.columns = columns_;
    step_.neurons = piece.size();
    list_.resize(static_cast<std::size_t>(columns_));
    step_.list = list_.data();
    step_.dt_ms = dt_;
    step_.sub_steps =
        static_cast<std::int64_t>(std::max(1.0, std::ceil(dt_ / rule_.longest_ms - 1e-9)));
    make_coefficients();
    make_decays();
    reset();
  }

  void reset() override;
  std::int64_t advance(std::int64_t step, const Arriving& arriving, std::uint32_t* spiked) override;
  double value(std::int64_t cell, std::size_t variable) const override;
  std::vector<Row> rows() override;
  void restored(double time_ms) override;
  const double* voltages() override { return rule_.has_voltage ? states_.data() : nullptr; }
  CoupledInput* coupled_input(bool wants_courses) override;
  bool resets_within_steps() const override { return !rule_.is_equation || rule_.has_peak; }
  void prepare(std::int64_t step) override;
  std::size_t equations() const override { return rule_.derivatives == nullptr ? 0 : rule_.states; }
  void derivatives(std::int64_t cell, double injected_current, const double* x,
                   double* dx) const override {
    const int constant = rule_.constant_current;
    const double own = constant < 0 ? 0 : coefficients_of(cell)[constant];
    rule_.derivatives(coefficients_.data(), cell, own + injected_current, x, dx);
  }
  bool is_random() const override { return rule_.is_random; }

 private:
  double slack(double time_ms) const { return slack_of(time_ms / dt_) * dt_; }
  const double* coefficients_of(std::int64_t local) const {
    return all_.data() + static_cast<std::size_t>(local) * rule_.coefficients;
  }
  /// formula(coefficients of the neuron) for each neuron; padding repeats the last.
  template <typename Formula>
  Coefficient each(const Formula& formula) {
    std::vector<double> values;
    for (std::int64_t n = 0; n < piece_.size(); ++n) values.push_back(formula(coefficients_of(n)));
    values.resize(static_cast<std::size_t>(columns_), values.back());
    return keep(values);
  }
  void make_coefficients();
  void make_decays();
  void make_noise(double time_ms);
  void update_external(double time_ms);
  void refine(OdeStep& step, std::size_t level);
  void land(std::span<const Kick> kicks);
  [[noreturn]] void fail_at(std::int64_t step) const;

  const Layout& layout_;
  const Population& population_;
  const Model& model_;
  OdeRule rule_;
  Stimuli stimuli_;
  double dt_, next_change_ = 0;
  std::int64_t prepared_ = 0;  ///< The last step for which prepare() was called.
  OdeStep step_;
  CoupledInput coupled_;
  std::vector<double> all_;  ///< [neurons, coefficients]
  std::vector<Coefficient> coefficients_, decays_;
  Lines states_, synapses_, rises_, waiting_, external_, random_;
  std::vector<Rng> noise_;
  std::vector<std::uint32_t> list_;
  std::array<Refined, 3> refined_ = {Refined(OdeLevel::fine), Refined(OdeLevel::finest),
                                     Refined(OdeLevel::alone)};
};

void OdeGroup::make_coefficients() {
  all_.assign(static_cast<std::size_t>(piece_.size()) * rule_.coefficients, 0.0);
  for (std::int64_t local = 0; local < piece_.size(); ++local) {
    double* own = all_.data() + static_cast<std::size_t>(local) * rule_.coefficients;
    std::size_t at = 0;
    for (const Parameter& parameter : model_.parameters) {
      own[at++] =
          population_.column(parameter.name)[static_cast<std::size_t>(piece_.begin + local)];
    }
    rule_.prepare(own, dt_);
  }
  for (std::size_t index = 0; index < rule_.coefficients; ++index) {
    coefficients_.push_back(each([&](const double* own) { return own[index]; }));
  }
  step_.coefficients = coefficients_.data();
  step_.refractory = each([&](const double* own) {
    if (rule_.refractory < 0) return 0.0;
    const double time = own[rule_.refractory];
    return rule_.is_exact_refractory ? time / dt_ : steps_until(time, dt_);
  });
}

void OdeGroup::make_decays() {
  const double coarse = dt_ / static_cast<double>(step_.sub_steps);
  const double fine = coarse / static_cast<double>(kFineSubSteps);
  const double finest = coarse / static_cast<double>(kFinestSubSteps);
  for (std::size_t r = 0; r < rule_.shapes.size(); ++r) {
    const bool decays = rule_.shapes[r] != SynapseShape::delta && !rule_.time_constants.empty();
    const auto rate = [&](const double* own) {
      return decays ? 1 / own[rule_.time_constants[r]] : 0.0;
    };
    const bool alpha = rule_.shapes[r] == SynapseShape::alpha;
    decays_.push_back(each([&](const double* own) { return std::exp(-0.5 * coarse * rate(own)); }));
    decays_.push_back(each([&](const double* own) { return std::exp(-0.5 * fine * rate(own)); }));
    decays_.push_back(each([&](const double* own) { return std::exp(-0.5 * finest * rate(own)); }));
    decays_.push_back(each(rate));
    decays_.push_back(
        each([&](const double* own) { return alpha ? std::numbers::e * rate(own) : 1.0; }));
  }
  step_.decays = decays_.data();
}

void OdeGroup::reset() {
  const auto columns = static_cast<std::size_t>(columns_);
  const std::size_t receptors = rule_.shapes.size();
  states_.assign(rule_.states * columns, 0.0);
  synapses_.assign(receptors * columns, 0.0);
  rises_.assign(receptors * columns, 0.0);
  waiting_.assign(columns, 0.0);
  external_.assign(columns, 0.0);
  prepared_ = 0;
  std::vector<double> own(rule_.states);
  for (std::int64_t column = 0; column < columns_; ++column) {
    rule_.initial(coefficients_of(std::min(column, piece_.size() - 1)), own.data());
    for (std::size_t i = 0; i < rule_.states; ++i) {
      states_[i * columns + static_cast<std::size_t>(column)] = own[i];
    }
  }
  step_.states = states_.data();
  step_.synapses = synapses_.data();
  step_.rises = rises_.data();
  step_.waiting = waiting_.data();
  update_external(0);
  make_noise(0);
}

/// A neuron takes a number for each step, needed or not.
void OdeGroup::make_noise(double time_ms) {
  noise_.clear();
  if (!rule_.is_random) return;
  random_.assign(static_cast<std::size_t>(columns_), 0.5);
  step_.random = random_.data();
  const auto drawn = static_cast<std::uint64_t>(std::llround(time_ms / dt_));
  const Rng root = Rng(layout_.options.seed).stream("escape").stream(population_.name);
  for (std::int64_t neuron = piece_.begin; neuron < piece_.end; ++neuron) {
    noise_.push_back(root.stream("neuron", static_cast<std::uint64_t>(neuron)).after(drawn));
  }
}

void OdeGroup::restored(double time_ms) {
  prepared_ = 0;
  step_.current = {external_.data(), 1};
  next_change_ = stimuli_.next_change(time_ms - dt_ - slack(time_ms));
  make_noise(time_ms);
}

CoupledInput* OdeGroup::coupled_input(bool wants_courses) {
  const auto columns = static_cast<std::size_t>(columns_);
  coupled_.is_course = wants_courses && rule_.is_equation;
  coupled_.current.resize((coupled_.is_course ? 4 : 1) * columns, 0.0);
  if (!coupled_.is_course) {
    step_.coupled = coupled_.current.data();
    return &coupled_;
  }
  coupled_.conductance.resize(columns, 0.0);
  coupled_.shown.resize(3 * columns, 0.0);
  step_.gap = {coupled_.conductance.data(), coupled_.current.data(), coupled_.shown.data()};
  return &coupled_;
}

void OdeGroup::update_external(double time_ms) {
  for (std::int64_t local = 0; local < piece_.size(); ++local) {
    const int constant = rule_.constant_current;
    external_[static_cast<std::size_t>(local)] =
        (constant < 0 ? 0 : coefficients_of(local)[constant]) +
        stimuli_.current(local, time_ms + slack(time_ms));
  }
  step_.current = {external_.data(), 1};
  next_change_ = stimuli_.next_change(time_ms + slack(time_ms));
}

void OdeGroup::prepare(std::int64_t step) {
  if (step == prepared_) return;
  const double begin = static_cast<double>(step - 1) * dt_;
  if (next_change_ <= begin + slack(begin)) update_external(begin);
  for (std::size_t n = 0; n < noise_.size(); ++n) random_[n] = noise_[n].uniform();
  prepared_ = step;
}

std::int64_t OdeGroup::advance(std::int64_t step, const Arriving& arriving, std::uint32_t* spiked) {
  prepare(step);
  step_.arriving = rule_.takes_sums ? sums_of(arriving) : arriving.sums;
  step_.spiked = spiked;
  step_.count = 0;
  step_.listed = 0;
  step_.failed = -1;
  step_.fired_twice = false;
  rule_.advance(step_);
  if (step_.listed > 0) {
    refine(step_, 0);
    std::sort(step_.spiked, step_.spiked + step_.count);
  }
  if (step_.failed >= 0) fail_at(step);
  if (!rule_.takes_sums) land(arriving.kicks);
  return step_.count;
}

/// Advances the neurons for which a level is too coarse by the next one. Gathered into full
/// vectors, few of them cost little, wherever they are.
void OdeGroup::refine(OdeStep& step, std::size_t level) {
  OdeStep& finer = refined_[level].pack(step, rule_);
  rule_.advance(finer);
  if (finer.listed > 0) refine(finer, level + 1);
  refined_[level].unpack(step, rule_);
}

/// Adds arrivals to the state that receptors have at the end of the step.
void OdeGroup::land(std::span<const Kick> kicks) {
  const auto columns = static_cast<std::size_t>(columns_);
  for (const Kick& kick : kicks) {
    const std::size_t receptor = kick.place / columns, column = kick.place % columns;
    if (rule_.shapes[receptor] == SynapseShape::alpha) {
      const Coefficient& jump = decays_[receptor * Decay::count + Decay::jump];
      rises_[kick.place] += jump.data[jump.step * static_cast<std::int64_t>(column)] * kick.weight;
    } else {
      synapses_[kick.place] += kick.weight;
    }
  }
}

void OdeGroup::fail_at(std::int64_t step) const {
  const std::int64_t neuron = piece_.begin + step_.failed;
  const double time = static_cast<double>(step) * dt_;
  require(!step_.fired_twice, ErrorKind::numeric,
          "population '{}': neuron {} spikes more than once in the step that ends at {} ms. Take a"
          " shorter step, or give it refractoriness",
          population_.name, neuron, time);
  fail(ErrorKind::numeric,
       "population '{}': the state of neuron {} is not finite at {} ms. Take a shorter step, or"
       " check its parameters and input",
       population_.name, neuron, time);
}

double OdeGroup::value(std::int64_t cell, std::size_t variable) const {
  const auto columns = static_cast<std::size_t>(columns_), n = static_cast<std::size_t>(cell);
  if (rule_.variable != nullptr) {
    std::vector<double> own(rule_.states);
    for (std::size_t i = 0; i < own.size(); ++i) own[i] = states_[i * columns + n];
    const double value = rule_.variable(own.data(), coefficients_of(cell), variable);
    if (!std::isnan(value)) return value;
    return synapses_[(variable - (model_.variables.size() - rule_.shapes.size())) * columns + n];
  }
  if (variable < rule_.states) return states_[variable * columns + n];
  return synapses_[(variable - rule_.states) * columns + n];
}

std::vector<GridGroup::Row> OdeGroup::rows() {
  std::vector<Row> rows = {{"waiting", waiting_.data()}, {"external", external_.data()}};
  const auto add = [&](const char* name, Lines& lines, std::size_t count) {
    for (std::size_t at = 0; at < count; ++at) {
      rows.push_back(
          {fmt::format("{}_{}", name, at), lines.data() + at * static_cast<std::size_t>(columns_)});
    }
  };
  add("state", states_, rule_.states);
  add("synaptic", synapses_, rule_.shapes.size());
  add("rise", rises_, rule_.shapes.size());
  for (const auto& [name, values] : stimuli_.rows()) rows.push_back({name, values});
  return rows;
}

}  // namespace

std::unique_ptr<GridGroup> make_ode_group(const Layout& layout, const Piece& piece, OdeRule rule) {
  return std::make_unique<OdeGroup>(layout, piece, std::move(rule));
}

}  // namespace afterspike::spiking
