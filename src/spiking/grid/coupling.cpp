#include "grid/coupling.hpp"

#include <algorithm>
#include <cmath>

#include "afterspike/base/error.hpp"

namespace afterspike::spiking {
namespace {

/// An iteration ends when no voltage changes by more, as NEST's wfr_tol, mV.
constexpr double kTolerance_mV = 1e-9;
/// Max change after the last iteration. Sub-steps of a neuron may depend on the last bit of its
/// input, so a smaller change can go on for ever.
constexpr double kAcceptable_mV = 1e-4;
constexpr int kMostIterations = 60;

/// Above this change in a step, a cubic between two slopes is no approximation.
constexpr double kSteep_mV = 1000;

/// Max of conductance times step over capacitance for currents that are held: beyond it voltages
/// overshoot those of their partners.
constexpr double kMostRatio = 1;

/// (1 - exp(-x)) / x: the mean over a step of a current that decays as the voltage follows.
double damping(double ratio) {
  return ratio > 0 ? -std::expm1(-ratio) / ratio : 1;
}

}  // namespace

Coupling::Coupling(const Layout& layout, const Groups& groups)
    : layout_(layout),
      groups_(groups),
      kind_(layout.options.coupling),
      terms_(kind_ == ElectricalCoupling::iterated ? 4 : 1) {
  std::vector<std::size_t> member_of(layout.network->populations.size(), groups.size());
  for (std::size_t group = 0; group < groups.size(); ++group) {
    const auto population = static_cast<std::size_t>(groups[group]->piece().population);
    if (!layout.is_coupled[population]) continue;
    member_of[population] = members_.size();
    add_member(group);
  }
  for (const ElectricalSynapses& synapses : layout.network->electrical_synapses) {
    const std::size_t first = member_of[static_cast<std::size_t>(synapses.first)];
    const std::size_t second = member_of[static_cast<std::size_t>(synapses.second)];
    if (first < groups.size() && second < groups.size()) add_synapses(synapses, first, second);
  }
  set_ratios();
}

void Coupling::add_member(std::size_t group) {
  GridGroup& cells = *groups_[group];
  const Population& population = layout_.population(cells.piece().population);
  CoupledInput* input = cells.voltages() == nullptr
                            ? nullptr
                            : cells.coupled_input(kind_ != ElectricalCoupling::previous_step);
  require(input != nullptr, ErrorKind::config,
          "population '{}': model '{}' has no electrical synapses", population.name,
          population.model);
  Member member{group, &cells, input, courses_.size(), {}, {}, {}, {}, {}, {}};
  const auto count = static_cast<std::size_t>(cells.cells());
  member.conductance.assign(count, 0.0);
  member.ratio.assign(count, 0.0);
  member.spiked.resize(static_cast<std::size_t>(cells.columns()));
  courses_.resize(courses_.size() + count);
  members_.push_back(std::move(member));
}

void Coupling::add_synapses(const ElectricalSynapses& synapses, std::size_t first,
                            std::size_t second) {
  Member& one = members_[first];
  Member& other = members_[second];
  for (std::size_t at = 0; at < synapses.conductances_ns.size(); ++at) {
    const auto from = static_cast<std::size_t>(synapses.first_neurons[at]);
    const auto to = static_cast<std::size_t>(synapses.second_neurons[at]);
    const double conductance = synapses.conductances_ns[at];
    synapses_.push_back({one.first + from, other.first + to, conductance});
    one.conductance[from] += conductance;
    other.conductance[to] += conductance;
  }
}

void Coupling::set_ratios() {
  sums_.resize(courses_.size());
  for (Member& member : members_) {
    if (member.input->is_course) {
      std::copy(member.conductance.begin(), member.conductance.end(),
                member.input->conductance.begin());
    }
    const Population& population = layout_.population(member.cells->piece().population);
    const auto found = population.columns.find("capacitance");
    for (std::size_t cell = 0; cell < member.ratio.size(); ++cell) {
      // Equations without dimensions have a capacitance of 1.
      const double capacitance = found == population.columns.end() ? 1 : found->second[cell];
      const double most = capacitance / member.conductance[cell];  // ms
      member.ratio[cell] = layout_.dt_ms / most;
      require(
          kind_ != ElectricalCoupling::previous_step || member.ratio[cell] <= kMostRatio,
          ErrorKind::config,
          "population '{}': neuron {} has {} nS of electrical synapses and {} pF, which a step of"
          " {} ms cannot follow. Take a step below {:.2g} ms, or --coupling iterated",
          population.name, cell, member.conductance[cell], capacitance, layout_.dt_ms, most);
    }
  }
}

void Coupling::prepare(std::int64_t step, const ArrivingOf& arriving) {
  begin_step();
  if (kind_ == ElectricalCoupling::previous_step) return set_held_input();
  set_input(false);
  if (kind_ == ElectricalCoupling::iterated) relax(step, arriving);
}

/// Voltages stay those at the begin of the step.
void Coupling::begin_step() {
  for (Member& member : members_) {
    const double* voltages = member.cells->voltages();
    for (std::size_t cell = 0; cell < member.conductance.size(); ++cell) {
      courses_[member.first + cell] = {{voltages[cell], 0, 0, 0}, false};
    }
  }
}

/// Sets the currents between voltages at the begin of the step.
void Coupling::set_held_input() {
  std::fill(sums_.begin(), sums_.end(), Course{});
  for (const Synapse& synapse : synapses_) {
    const double current =
        synapse.conductance * (courses_[synapse.second].p[0] - courses_[synapse.first].p[0]);
    sums_[synapse.first].p[0] += current;
    sums_[synapse.second].p[0] -= current;
  }
  for (Member& member : members_) set_course_input(member);
}

/// Sets the input of all groups from the courses.
void Coupling::set_input(bool is_iterated) {
  std::fill(sums_.begin(), sums_.end(), Course{});
  for (const Synapse& synapse : synapses_) {
    for (std::size_t k = 0; k < terms_; ++k) {
      sums_[synapse.first].p[k] += synapse.conductance * courses_[synapse.second].p[k];
      sums_[synapse.second].p[k] += synapse.conductance * courses_[synapse.first].p[k];
    }
  }
  for (Member& member : members_) {
    if (member.input->is_course) {
      set_course_input(member);
    } else {
      set_constant_input(member, is_iterated);
    }
  }
}

void Coupling::set_course_input(Member& member) const {
  const auto columns = static_cast<std::size_t>(member.cells->columns());
  for (std::size_t k = 0; k < terms_; ++k) {
    double* current = member.input->current.data() + k * columns;
    for (std::size_t cell = 0; cell < member.conductance.size(); ++cell) {
      current[cell] = sums_[member.first + cell].p[k];
    }
  }
}

/// Sets the mean of the current that flows while V relaxes to the partners' or, iterated, follows
/// its course.
void Coupling::set_constant_input(Member& member, bool is_iterated) const {
  double* current = member.input->current.data();
  for (std::size_t cell = 0; cell < member.conductance.size(); ++cell) {
    const std::size_t at = member.first + cell;
    const double flowing = sums_[at].mean() - member.conductance[cell] * courses_[at].mean();
    if (is_iterated) {
      // Half of the ratio is the effect of the current on its own mean voltage.
      current[cell] += (flowing - current[cell]) / (1 + member.ratio[cell] / 2);
    } else {
      current[cell] = damping(member.ratio[cell]) * flowing;
    }
  }
}

/// Waveform relaxation: repeats the step of all coupled groups until their voltages agree with
/// those that the partners saw.
void Coupling::relax(std::int64_t step, const ArrivingOf& arriving) {
  for (Member& member : members_) {
    member.cells->prepare(step);
    save(member);
  }
  Change change;
  for (int iteration = 0; iteration < kMostIterations; ++iteration) {
    change = advance(step, arriving);
    set_input(true);
    if (change.voltage <= kTolerance_mV) break;
  }
  if (!(change.voltage <= kAcceptable_mV)) fail_at(step, change);
}

/// Advances all groups with their present input and takes them back to the begin of the step.
Coupling::Change Coupling::advance(std::int64_t step, const ArrivingOf& arriving) {
  Change greatest;
  for (std::size_t index = 0; index < members_.size(); ++index) {
    Member& member = members_[index];
    Arriving events = arriving(member.group);
    if (events.sums != nullptr) {
      const auto places = member.cells->receptors() * member.cells->places();
      member.sums.assign(events.sums, events.sums + places);
      events.sums = member.sums.data();
    }
    const std::int64_t spikes = member.cells->advance(step, events, member.spiked.data());
    const Change change = update(index, spikes);
    if (!(change.voltage <= greatest.voltage)) greatest = change;
    restore(member);
  }
  return greatest;
}

/// Replaces the courses of a group by those that its step has shown. Returns the greatest change of
/// a voltage. A cell that was reset within the step keeps the course with which it first was, so
/// that two cells cannot prevent each other's spikes in turns.
Coupling::Change Coupling::update(std::size_t index, std::int64_t spikes) {
  Member& member = members_[index];
  if (member.cells->resets_within_steps()) {
    for (std::int64_t spike = 0; spike < spikes; ++spike) {
      courses_[member.first + member.spiked[static_cast<std::size_t>(spike)]].is_fixed = true;
    }
  }
  const auto columns = static_cast<std::size_t>(member.cells->columns());
  const bool is_course = member.input->is_course;
  const double* shown = is_course ? member.input->shown.data() : member.cells->voltages();
  Change greatest{0, index, 0};
  for (std::size_t cell = 0; cell < member.conductance.size(); ++cell) {
    Course& course = courses_[member.first + cell];
    if (course.is_fixed) continue;
    const double begin = course.p[0], difference = shown[cell] - begin;
    double slope = difference, last = difference;
    if (is_course && std::abs(shown[columns + cell]) < kSteep_mV &&
        std::abs(shown[2 * columns + cell]) < kSteep_mV) {
      slope = shown[columns + cell];
      last = shown[2 * columns + cell];
    }
    const Course next{
        {begin, slope, 3 * difference - 2 * slope - last, slope + last - 2 * difference}, false};
    const double change =
        std::max(std::abs(next.end() - course.end()), std::abs(next.mean() - course.mean()));
    if (!(change <= greatest.voltage)) greatest = {change, index, static_cast<std::int64_t>(cell)};
    course = next;
  }
  return greatest;
}

void Coupling::save(Member& member) const {
  if (member.rows.empty()) {
    for (const GridGroup::Row& row : member.cells->rows()) member.rows.push_back(row.values);
  }
  member.saved.clear();
  for (const double* row : member.rows) {
    member.saved.insert(member.saved.end(), row, row + member.cells->cells());
  }
}

void Coupling::restore(Member& member) const {
  const double* saved = member.saved.data();
  for (double* row : member.rows) {
    std::copy_n(saved, member.cells->cells(), row);
    saved += member.cells->cells();
  }
}

void Coupling::reset() {
  for (Member& member : members_) member.rows.clear();
}

void Coupling::fail_at(std::int64_t step, const Change& change) const {
  const Member& member = members_[change.member];
  const auto cell = static_cast<std::size_t>(change.cell);
  fail(ErrorKind::numeric,
       "electrical synapses: the voltages of the step that ends at {} ms do not converge: neuron {}"
       " of population '{}' with {} nS still moves by {:.3g} mV. Take a shorter step, or --coupling"
       " previous_partner",
       static_cast<double>(step) * layout_.dt_ms, change.cell,
       layout_.population(member.cells->piece().population).name, member.conductance[cell],
       change.voltage);
}

}  // namespace afterspike::spiking
