#include "simulation/sources.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <tuple>

#include "afterspike/base/error.hpp"
#include "simulation/steps.hpp"

namespace afterspike::spiking {
namespace {

/// The step that a time is at; else -1.
std::int64_t step_of(double time_ms, double dt_ms) {
  return is_at_step(time_ms, dt_ms) ? std::llround(time_ms / dt_ms) : -1;
}

/// Recorded spikes, in the order of their times.
class Trains final : public Source {
 public:
  Trains(const Layout& layout, std::int64_t population)
      : layout_(layout), index_(population), population_(layout.population(population)) {
    set_trains(population_.trains);
  }

  void emit(const Window& window, std::vector<Emission>& emissions) override {
    for (; next_ < spikes_.size(); ++next_) {
      if (!lies_by(spikes_[next_], window.end_ms, window.last_step)) break;
      emissions.push_back(spikes_[next_]);
    }
  }

  void go_to(double time_ms) override {
    now_ = time_ms;
    const std::int64_t step = std::llround(now_ / layout_.dt_ms);
    const auto later = [&](const Emission& spike) {
      return now_ == 0 || !lies_by(spike, now_, step);
    };
    next_ = static_cast<std::size_t>(std::find_if(spikes_.begin(), spikes_.end(), later) -
                                     spikes_.begin());
  }

  void set_trains(const SpikeTrains& trains) override {
    Population checked = population_;
    checked.trains = trains;
    Network alone;
    alone.populations.push_back(std::move(checked));
    validate(alone);
    spikes_.clear();
    for (std::size_t train = 0; train + 1 < trains.offsets.size(); ++train) {
      for (auto at = static_cast<std::size_t>(trains.offsets[train]);
           at < static_cast<std::size_t>(trains.offsets[train + 1]); ++at) {
        const double time = trains.times_ms[at];
        spikes_.push_back(
            {time, step_of(time, layout_.dt_ms),
             layout_.neuron({index_, 0, population_.size}, static_cast<std::int64_t>(train)), 1});
      }
    }
    std::sort(spikes_.begin(), spikes_.end(), [](const Emission& one, const Emission& other) {
      return std::tie(one.time_ms, one.neuron) < std::tie(other.time_ms, other.neuron);
    });
    go_to(now_);
  }

 private:
  /// By steps where there are any: times on a grid are rounded.
  bool lies_by(const Emission& spike, double time_ms, std::int64_t step) const {
    const bool steps = spike.step >= 0 && layout_.window_steps > 0;
    return steps ? spike.step <= step : spike.time_ms <= time_ms;
  }

  const Layout& layout_;
  std::int64_t index_;
  const Population& population_;
  std::vector<Emission> spikes_;
  std::size_t next_ = 0;
  double now_ = 0;
};

/// One number for each channel and step of the network.
class Analog final : public Source {
 public:
  Analog(const Layout& layout, std::int64_t population)
      : layout_(layout),
        index_(population),
        size_(layout.population(population).size),
        stride_(
            whole_steps(layout.network->time_step_ms, layout.dt_ms, "time step of the network")) {
    require(stride_ > 0, ErrorKind::config,
            "population '{}': found a step of {} ms, expected at most the network's, {} ms",
            layout.population(population).name, layout.dt_ms, layout.network->time_step_ms);
  }

  void emit(const Window& window, std::vector<Emission>& emissions) override {
    const auto steps = static_cast<std::int64_t>(values_.size()) / size_;
    for (; next_ < steps && next_ * stride_ <= window.last_step; ++next_) {
      const std::int64_t step = next_ * stride_;
      for (std::int64_t channel = 0; channel < size_; ++channel) {
        const double value = values_[static_cast<std::size_t>(next_ * size_ + channel)];
        if (value == 0) continue;
        emissions.push_back({static_cast<double>(step) * layout_.dt_ms, step,
                             layout_.neuron({index_, 0, size_}, channel), value});
      }
    }
  }

  void go_to(double time_ms) override {
    next_ = time_ms == 0 ? 0 : std::llround(time_ms / layout_.dt_ms) / stride_ + 1;
  }

  void set_signal(std::span<const double> values) override {
    require(values.size() % static_cast<std::size_t>(size_) == 0, ErrorKind::data,
            "signal: found {} values, expected a multiple of {} channels", values.size(), size_);
    for (const double value : values) {
      require(std::isfinite(value), ErrorKind::data, "signal: found {}, expected finite numbers",
              value);
    }
    values_.assign(values.begin(), values.end());
  }

 private:
  const Layout& layout_;
  std::int64_t index_, size_;
  std::int64_t stride_;  ///< Steps of the grid in one of the network.
  std::vector<double> values_;
  std::int64_t next_ = 0;
};

}  // namespace

void Source::set_trains(const SpikeTrains& /*trains*/) {
  fail(ErrorKind::data, "trains of spikes are for populations of model 'spike_source'");
}

void Source::set_signal(std::span<const double> /*values*/) {
  fail(ErrorKind::data, "signals are for populations of model 'analog_source'");
}

std::unique_ptr<Source> make_trains_source(const Layout& layout, std::int64_t population) {
  return std::make_unique<Trains>(layout, population);
}
std::unique_ptr<Source> make_analog_source(const Layout& layout, std::int64_t population) {
  return std::make_unique<Analog>(layout, population);
}

}  // namespace afterspike::spiking
