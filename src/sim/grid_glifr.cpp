#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include "afterspike/base/rng.hpp"
#include "grid_group.hpp"

namespace afterspike::sim {
namespace {

/// The discrete GLIFR neuron (docs/numerics.md#glifr) with S in {0, 1}: where the threshold is
/// hard, S = 1 above it; where it is soft, a neuron spikes with probability sigmoid((V - V_th) /
/// sigma) dt / tau, and a spike counts whole.
class GlifrGroup final : public GridGroup {
 public:
  GlifrGroup(const Layout& layout, const Piece& piece)
      : GridGroup(piece, layout.population(piece.population).receptors),
        population_(layout.population(piece.population)),
        dt_(layout.dt_ms),
        rng_(Rng(layout.options.seed).stream("escape").stream(population_.name)) {
    make_coefficients();
    reset();
  }

  void reset() override;
  std::int64_t advance(std::int64_t step, const Arriving& arriving, std::uint32_t* spiked) override;
  double value(std::int64_t local, Quantity quantity) const override;
  std::vector<Row> rows() override;

 private:
  std::span<const double> own(const char* column, std::int64_t row = 0) const {
    return population_.column(column).subspan(
        static_cast<std::size_t>(row * population_.size + piece_.begin),
        static_cast<std::size_t>(piece_.size()));
  }
  template <typename Formula>
  Coefficient each(std::span<const double> values, const Formula& formula) {
    std::vector<double> results;
    for (const double value : values) results.push_back(formula(value));
    return keep(results);
  }
  void make_coefficients();
  bool spikes(std::int64_t local, std::int64_t step) const;

  const glifnet::Population& population_;
  double dt_;
  Rng rng_;
  GlifrStep step_;
  Lines voltage_, spiked_, current_;
  std::vector<Coefficient> current_keep_, multiplicative_, additive_;
  std::span<const double> threshold_, softness_, fraction_;
};

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
}

bool GlifrGroup::spikes(std::int64_t local, std::int64_t step) const {
  const auto n = static_cast<std::size_t>(local);
  const double above = voltage_[n] - threshold_[n];
  if (softness_[n] == 0) return above > 0;
  Rng rng = rng_.stream("neuron", static_cast<std::uint64_t>(piece_.begin + local))
                .stream("step", static_cast<std::uint64_t>(step));
  return rng.uniform() < fraction_[n] / (1 + std::exp(-above / softness_[n]));
}

std::int64_t GlifrGroup::advance(std::int64_t step, const Arriving& arriving,
                                 std::uint32_t* spiked) {
  step_.arriving = sums_of(arriving);
  glifr_step(step_);
  std::int64_t count = 0;
  for (std::int64_t local = 0; local < piece_.size(); ++local) {
    const auto n = static_cast<std::size_t>(local);
    const bool fires = spikes(local, step);
    spiked_[n] = !fires ? 0 : (softness_[n] == 0 ? fraction_[n] : 1);
    if (fires) spiked[count++] = static_cast<std::uint32_t>(local);
  }
  return count;
}

double GlifrGroup::value(std::int64_t local, Quantity quantity) const {
  const auto n = static_cast<std::size_t>(local);
  if (quantity == Quantity::voltage) return voltage_[n];
  if (quantity == Quantity::threshold) return threshold_[n];
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

}  // namespace afterspike::sim
