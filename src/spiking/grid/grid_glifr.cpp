#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "afterspike/base/rng.hpp"
#include "grid/grid_group.hpp"

namespace afterspike::spiking {
namespace {

/// The discrete GLIFR neuron (docs/numerics.md#glifr) with S in {0, 1}: where the threshold is
/// hard, S = 1 above it; where it is soft, a neuron spikes with probability sigmoid((V - V_th) /
/// sigma) dt / tau, and a spike counts whole. A cell is a copy of a neuron.
class GlifrGroup final : public GridGroup {
 public:
  GlifrGroup(const Layout& layout, const Piece& piece)
      : GridGroup(piece, layout.population(piece.population).receptors,
                  layout.population(piece.population).copies),
        layout_(layout),
        population_(layout.population(piece.population)),
        dt_(layout.dt_ms) {
    make_coefficients();
    reset();
  }

  void reset() override;
  std::int64_t advance(std::int64_t step, const Arriving& arriving, std::uint32_t* spiked) override;
  double value(std::int64_t cell, std::size_t variable) const override;
  std::vector<Row> rows() override;
  void restored(double time_ms) override;

 private:
  /// Values of a column for all cells.
  std::vector<double> own(const char* column, std::int64_t row = 0) const;
  template <typename Formula>
  Coefficient each(std::vector<double> values, const Formula& formula) {
    for (double& value : values) value = formula(value);
    return keep(values);
  }
  void make_coefficients();
  double* input_of(const Arriving& arriving);

  const Layout& layout_;
  const Population& population_;
  double dt_;
  GlifrStep step_;
  Lines voltage_, spiked_, current_, input_;
  std::vector<Coefficient> current_keep_, multiplicative_, additive_;
  std::vector<double> threshold_, softness_, fraction_;
  std::vector<Rng> noise_;  ///< Random numbers of each cell; empty if every threshold is hard.
};

std::vector<double> GlifrGroup::own(const char* column, std::int64_t row) const {
  const auto values = population_.column(column).subspan(
      static_cast<std::size_t>(row * population_.size + piece_.begin),
      static_cast<std::size_t>(piece_.size()));
  std::vector<double> cells;
  for (const double value : values) {
    cells.insert(cells.end(), static_cast<std::size_t>(copies_), value);
  }
  return cells;
}

void GlifrGroup::make_coefficients() {
  const auto same = [](double value) { return value; };
  threshold_ = own("threshold");
  softness_ = own("softness");
  fraction_ = own("spike_fraction");
  const auto decay = own("membrane_decay"), resistance = own("resistance");
  std::vector<double> gain;
  for (std::size_t n = 0; n < decay.size(); ++n) gain.push_back(dt_ * decay[n] * resistance[n]);
  step_.columns = columns_;
  step_.currents = population_.currents();
  step_.keep = each(decay, [&](double value) { return 1 - dt_ * value; });
  step_.gain = keep(gain);
  step_.bias = each(own("constant_current"), same);
  step_.reset = each(own("reset"), same);
  for (std::int64_t j = 0; j < step_.currents; ++j) {
    current_keep_.push_back(
        each(own("after_spike_decay", j), [&](double value) { return 1 - dt_ * value; }));
    multiplicative_.push_back(each(own("after_spike_multiplicative", j), same));
    additive_.push_back(each(own("after_spike_additive", j), same));
  }
  step_.current_keep = current_keep_.data();
  step_.multiplicative = multiplicative_.data();
  step_.additive = additive_.data();
}

void GlifrGroup::reset() {
  const auto columns = static_cast<std::size_t>(columns_);
  voltage_.assign(columns, 0.0);
  spiked_.assign(columns, 0.0);
  current_.assign(columns * static_cast<std::size_t>(step_.currents), 0.0);
  step_.voltage = voltage_.data();
  step_.spiked = spiked_.data();
  step_.current = current_.data();
  restored(0);
}

/// A cell takes a number for each step, whether it needs it or not.
void GlifrGroup::restored(double time_ms) {
  noise_.clear();
  const auto soft = [](double softness) { return softness > 0; };
  if (std::none_of(softness_.begin(), softness_.end(), soft)) return;
  const auto drawn = static_cast<std::uint64_t>(std::llround(time_ms / dt_));
  const Rng root = Rng(layout_.options.seed).stream("escape").stream(population_.name);
  for (std::int64_t cell = piece_.begin * copies_; cell < piece_.end * copies_; ++cell) {
    noise_.push_back(root.stream("neuron", static_cast<std::uint64_t>(cell)).after(drawn));
  }
}

/// Returns the input of each cell.
double* GlifrGroup::input_of(const Arriving& arriving) {
  double* sums = sums_of(arriving);
  if (copies_ == 1) return sums;
  input_.resize(static_cast<std::size_t>(columns_), 0.0);
  for (std::int64_t neuron = 0; neuron < piece_.size(); ++neuron) {
    std::fill_n(input_.begin() + neuron * copies_, copies_, sums[neuron]);
    sums[neuron] = 0;
  }
  return input_.data();
}

std::int64_t GlifrGroup::advance(std::int64_t /*step*/, const Arriving& arriving,
                                 std::uint32_t* spiked) {
  step_.arriving = input_of(arriving);
  glifr_step(step_);
  std::int64_t count = 0;
  for (std::size_t cell = 0; cell < threshold_.size(); ++cell) {
    const double above = voltage_[cell] - threshold_[cell];
    const double chance = noise_.empty() ? 0 : noise_[cell].uniform();
    const bool hard = softness_[cell] == 0;
    const bool fires =
        hard ? above > 0 : chance < fraction_[cell] / (1 + std::exp(-above / softness_[cell]));
    spiked_[cell] = !fires ? 0 : (hard ? fraction_[cell] : 1);
    if (fires) spiked[count++] = static_cast<std::uint32_t>(cell);
  }
  return count;
}

/// V, threshold, I_asc.
double GlifrGroup::value(std::int64_t cell, std::size_t variable) const {
  const auto n = static_cast<std::size_t>(cell);
  if (variable == 0) return voltage_[n];
  if (variable == 1) return threshold_[n];
  double sum = 0;
  for (std::size_t at = n; at < current_.size(); at += static_cast<std::size_t>(columns_)) {
    sum += current_[at];
  }
  return sum;
}

std::vector<GridGroup::Row> GlifrGroup::rows() {
  std::vector<Row> rows = {{"voltage", voltage_.data()}, {"spiked", spiked_.data()}};
  for (std::int64_t j = 0; j < step_.currents; ++j) {
    rows.push_back({"after_spike_" + std::to_string(j), current_.data() + j * columns_});
  }
  return rows;
}

}  // namespace

std::unique_ptr<GridGroup> make_glifr_group(const Layout& layout, const Piece& piece) {
  return std::make_unique<GlifrGroup>(layout, piece);
}

}  // namespace afterspike::spiking
