#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numbers>
#include <numeric>
#include <vector>

#include "afterspike/base/rng.hpp"
#include "afterspike/spiking/network.hpp"
#include "afterspike/spiking/simulation.hpp"

/// Slow simulators of leaky neurons, one neuron and one number at a time, that share no code with
/// the engines.
namespace afterspike::testing {

struct DenseNeuron {
  std::int64_t population = 0, index = 0;
  bool spike_part = false, voltage_part = false, reached = false;
  spiking::SynapseShape shape = spiking::SynapseShape::delta;
  double C = 0, G = 0, E = 0, th = 0, reset = 0, t_ref = 0, current = 0;
  double add = 0, decay = 0, fraction = 0, shift = 0, a_v = 0, b_v = 0;
  std::vector<double> k, amp, r, tau;

  double V = 0, th_s = 0, th_v = 0, wait = 0;
  std::vector<double> I, y1, y2, in;
  std::vector<double> injected;  ///< By each injected current.

  double external() const { return std::accumulate(injected.begin(), injected.end(), current); }
};

/// An injected current is another from this time on.
struct DenseChange {
  double time;
  std::size_t neuron, current;
  double amplitude;
};

struct DenseSynapse {
  std::size_t target;
  double weight, delay;
  std::size_t receptor;
};

struct DenseNetwork {
  std::vector<DenseNeuron> neurons;
  std::vector<std::vector<DenseSynapse>> out;  ///< By neuron.
  std::vector<std::tuple<double, std::size_t, std::size_t, double>>
      input;                         ///< Arrivals of sources.
  std::vector<DenseChange> changes;  ///< By time.
};

/// The neurons of a population that a current is for.
using DensePlaces = std::map<std::pair<std::int64_t, std::int64_t>, std::size_t>;

inline void inject(DenseNetwork& dense, const spiking::Network& network, const DensePlaces& where,
                   std::uint64_t seed, double until) {
  const std::size_t steps = network.step_currents.size();
  for (const auto& [place, id] : where) {
    dense.neurons[id].injected.assign(steps + network.noise_currents.size(), 0);
    for (std::size_t c = 0; c < steps; ++c) {
      const auto& current = network.step_currents[c];
      const auto& own = current.neurons;
      if (current.population != place.first) continue;
      if (!own.empty() && std::find(own.begin(), own.end(), place.second) == own.end()) continue;
      for (std::size_t i = 0; i < current.times_ms.size(); ++i) {
        dense.changes.push_back({current.times_ms[i], id, c, current.amplitudes_pa[i]});
      }
    }
    for (std::size_t c = 0; c < network.noise_currents.size(); ++c) {
      const auto& current = network.noise_currents[c];
      if (current.population != place.first) continue;
      for (std::uint64_t i = 0; static_cast<double>(i) * current.interval_ms <= until; ++i) {
        Rng rng = Rng(seed)
                      .stream("noise")
                      .stream("current", c)
                      .stream("neuron", static_cast<std::uint64_t>(place.second))
                      .stream("interval", i);
        dense.changes.push_back({static_cast<double>(i) * current.interval_ms, id, steps + c,
                                 current.mean_pa + current.standard_deviation_pa * rng.normal()});
      }
    }
  }
  std::stable_sort(
      dense.changes.begin(), dense.changes.end(),
      [](const DenseChange& one, const DenseChange& other) { return one.time < other.time; });
}

/// The spikes of a neuron of a source.
inline std::vector<double> train_of(const spiking::Population& source, std::int64_t i,
                                    std::uint64_t seed, double until) {
  if (source.model == "spike_source") {
    const auto begin = source.trains.times_ms.begin();
    return {begin + source.trains.offsets[static_cast<std::size_t>(i)],
            begin + source.trains.offsets[static_cast<std::size_t>(i) + 1]};
  }
  std::vector<double> times;
  double time = 0;
  for (std::uint64_t gap = 0;; ++gap) {
    Rng rng = Rng(seed)
                  .stream("poisson")
                  .stream(source.name)
                  .stream("neuron", static_cast<std::uint64_t>(i))
                  .stream("gap", gap);
    time -=
        std::log(1 - rng.uniform()) / source.columns.at("rate")[static_cast<std::size_t>(i)] * 1e3;
    if (time > until) return times;
    times.push_back(time);
  }
}

inline DenseNetwork make_dense(const spiking::Network& network, std::uint64_t seed, double until) {
  DenseNetwork dense;
  DensePlaces where;
  for (std::size_t p = 0; p < network.populations.size(); ++p) {
    const auto& population = network.populations[p];
    const auto& model = spiking::model(population.model);
    if (model.is_source()) continue;
    for (std::int64_t i = 0; i < population.size; ++i) {
      const auto get = [&](const char* name) {
        const auto found = population.columns.find(name);
        return found == population.columns.end() ? 0.0 : found->second[static_cast<std::size_t>(i)];
      };
      DenseNeuron n;
      n.population = static_cast<std::int64_t>(p);
      n.index = i;
      n.spike_part = model.leaky->spike_threshold;
      n.voltage_part = model.leaky->voltage_threshold;
      n.reached = model.leaky->reached_is_crossed;
      n.shape = population.synapse;
      n.C = get("capacitance");
      n.G = population.model == "lif" ? n.C / get("membrane_time_constant") : get("conductance");
      n.E = get("resting_potential");
      n.th = get("threshold") - n.E;
      n.reset = get("reset") - n.E;
      n.t_ref = get("refractory");
      n.current = get("constant_current");
      n.V = get("initial_potential") - n.E;
      n.add = get("threshold_spike_add");
      n.decay = get("threshold_spike_decay");
      n.fraction = get("reset_fraction");
      n.shift = get("reset_add");
      n.a_v = get("threshold_voltage_index");
      n.b_v = get("threshold_voltage_decay");
      for (std::int64_t j = 0; j < population.currents(); ++j) {
        const auto at = static_cast<std::size_t>(j * population.size + i);
        n.k.push_back(population.columns.at("after_spike_decay")[at]);
        n.amp.push_back(population.columns.at("after_spike_amplitude")[at]);
        n.r.push_back(population.columns.at("after_spike_multiplier")[at]);
      }
      n.I.assign(n.k.size(), 0);
      const auto receptors = static_cast<std::size_t>(population.receptors);
      for (std::size_t q = 0; q < receptors && !population.synapse_time_constants_ms.empty(); ++q) {
        n.tau.push_back(
            population.synapse_time_constants_ms[q * static_cast<std::size_t>(population.size) +
                                                 static_cast<std::size_t>(i)]);
      }
      n.y1.assign(receptors, 0);
      n.y2.assign(receptors, 0);
      n.in.assign(receptors, 0);
      where[{static_cast<std::int64_t>(p), i}] = dense.neurons.size();
      dense.neurons.push_back(n);
    }
  }
  dense.out.resize(dense.neurons.size());
  for (const auto& projection : network.projections) {
    const auto& source = network.populations[static_cast<std::size_t>(projection.source)];
    for (std::int64_t i = 0; i < source.size; ++i) {
      for (auto at = projection.offsets[static_cast<std::size_t>(i)];
           at < projection.offsets[static_cast<std::size_t>(i) + 1]; ++at) {
        const auto s = static_cast<std::size_t>(at);
        const DenseSynapse synapse{where.at({projection.target, projection.targets[s]}),
                                   projection.weights[s], projection.delay_ms(at),
                                   projection.receptor(at)};
        if (!spiking::model(source.model).is_source()) {
          dense.out[where.at({projection.source, i})].push_back(synapse);
          continue;
        }
        for (const double time : train_of(source, i, seed, until)) {
          dense.input.emplace_back(time + synapse.delay, synapse.target, synapse.receptor,
                                   synapse.weight);
        }
      }
    }
  }
  inject(dense, network, where, seed, until);
  return dense;
}

/// NEST's rule, written as in its source (spiking neurons on a grid).
inline std::vector<spiking::Spike> dense_grid(const spiking::Network& network, std::uint64_t seed,
                                              double h, double until) {
  DenseNetwork dense = make_dense(network, seed, until);
  std::size_t change = 0;
  const auto steps = std::llround(until / h);
  // arriving[step][neuron][receptor]
  std::map<std::int64_t, std::vector<std::tuple<std::size_t, std::size_t, double>>> arriving;
  for (const auto& [time, target, receptor, weight] : dense.input) {
    arriving[static_cast<std::int64_t>(std::ceil(time / h - 1e-6))].emplace_back(target, receptor,
                                                                                 weight);
  }
  std::vector<spiking::Spike> spikes;
  for (std::int64_t step = 1; step <= steps; ++step) {
    const double begin = static_cast<double>(step - 1) * h;
    for (; change < dense.changes.size() && dense.changes[change].time < begin + 1e-6 * h;
         ++change) {
      const DenseChange& next = dense.changes[change];
      dense.neurons[next.neuron].injected[next.current] = next.amplitude;
    }
    for (const auto& [target, receptor, weight] : arriving[step]) {
      dense.neurons[target].in[receptor] += weight;
    }
    for (std::size_t id = 0; id < dense.neurons.size(); ++id) {
      DenseNeuron& n = dense.neurons[id];
      const double tau_m = n.C / n.G, P33 = std::exp(-h / tau_m), P30 = (1 - P33) * tau_m / n.C;
      double delta = 0;
      if (n.shape == spiking::SynapseShape::delta) {
        for (double& each : n.in) delta += each;
      }
      if (n.wait == 0) {
        if (n.spike_part) n.th_s *= std::exp(-n.decay * h);
        double sum = 0;
        for (std::size_t j = 0; j < n.I.size(); ++j) {
          sum += n.I[j] * (1 - std::exp(-n.k[j] * h)) / (n.k[j] * h);
          n.I[j] *= std::exp(-n.k[j] * h);
        }
        const double old = n.V;
        n.V = old * P33 + (n.external() + sum) * P30 + delta;
        for (std::size_t q = 0; q < n.tau.size(); ++q) {
          const double beta = n.tau[q] * tau_m / (tau_m - n.tau[q]), P11 = std::exp(-h / n.tau[q]);
          const double P32 = beta / n.C * P11 * std::expm1(h / beta);
          const double P31 = beta / n.C * P11 * (beta * std::expm1(h / beta) - h);
          n.V += n.shape == spiking::SynapseShape::alpha ? P31 * n.y1[q] + P32 * n.y2[q]
                                                         : P32 * n.y2[q];
        }
        if (n.voltage_part) {
          const double beta = (n.external() + sum) / n.G, phi = n.a_v / (n.b_v - n.G / n.C);
          const double ab = n.a_v / n.b_v;
          n.th_v = phi * (old - beta) * P33 +
                   std::exp(-n.b_v * h) * (n.th_v - phi * (old - beta) - ab * beta) + ab * beta;
        }
        const double threshold = n.th + n.th_s + n.th_v;
        if (n.V > threshold || (n.reached && n.V == threshold)) {
          n.wait = std::ceil(n.t_ref / h - 1e-6);
          for (std::size_t j = 0; j < n.I.size(); ++j) {
            n.I[j] = n.amp[j] + n.I[j] * n.r[j] * std::exp(-n.k[j] * n.t_ref);
          }
          if (n.spike_part) {
            n.V = n.fraction * old + n.shift;
            n.th_s = n.th_s * std::exp(-n.decay * n.t_ref) + n.add;
          } else {
            n.V = n.reset;
          }
          spikes.push_back({static_cast<double>(step) * h, n.population, n.index});
          for (const DenseSynapse& synapse : dense.out[id]) {
            arriving[step + std::llround(synapse.delay / h)].emplace_back(
                synapse.target, synapse.receptor, synapse.weight);
          }
        }
      } else {
        n.wait -= 1;
      }
      for (std::size_t q = 0; q < n.tau.size(); ++q) {
        const double P11 = std::exp(-h / n.tau[q]);
        if (n.shape == spiking::SynapseShape::alpha) {
          n.y2[q] = h * P11 * n.y1[q] + P11 * n.y2[q];
          n.y1[q] = P11 * n.y1[q] + std::numbers::e / n.tau[q] * n.in[q];
        } else {
          n.y2[q] = P11 * n.y2[q] + n.in[q];
        }
      }
      std::fill(n.in.begin(), n.in.end(), 0.0);
    }
  }
  return spikes;
}

/// Runge-Kutta steps of at most h, cut at arrivals and crossings (continuous equations).
class DenseExact {
 public:
  DenseExact(const spiking::Network& network, std::uint64_t seed, double h, double until)
      : dense_(make_dense(network, seed, until)), h_(h), until_(until) {
    for (const auto& [time, target, receptor, weight] : dense_.input) {
      arrivals_.insert({time, {target, receptor, weight}});
    }
    released_.assign(dense_.neurons.size(), 0);
  }

  std::vector<spiking::Spike> run() {
    std::vector<spiking::Spike> spikes;
    double t = 0;
    arrive(t, spikes);
    while (t < until_) {
      double next = std::min(t + h_, until_);
      if (change_ < dense_.changes.size()) next = std::min(next, dense_.changes[change_].time);
      if (!arrivals_.empty()) next = std::min(next, std::max(t, arrivals_.begin()->first));
      for (const double time : released_) {
        if (time > t) next = std::min(next, time);
      }
      std::size_t first = dense_.neurons.size();
      double length = next - t;
      for (std::size_t id = 0; id < dense_.neurons.size(); ++id) {
        if (released_[id] > t || excess(after(dense_.neurons[id], length)) <= 0) continue;
        double low = 0, high = length;
        while (high - low > 1e-13) {
          const double middle = 0.5 * (low + high);
          (excess(after(dense_.neurons[id], middle)) > 0 ? high : low) = middle;
          if (middle == low && middle == high) break;
        }
        length = high;
        first = id;
      }
      for (std::size_t id = 0; id < dense_.neurons.size(); ++id) {
        dense_.neurons[id] = released_[id] > t ? held(dense_.neurons[id], length)
                                               : after(dense_.neurons[id], length);
      }
      t += length;
      if (first < dense_.neurons.size()) {
        fire(first, t, spikes);
      } else {
        arrive(t, spikes);
      }
    }
    return spikes;
  }

 private:
  static double excess(const DenseNeuron& n) { return n.V - n.th - n.th_s - n.th_v; }

  static DenseNeuron held(DenseNeuron n, double time) {
    for (std::size_t q = 0; q < n.tau.size(); ++q) {
      n.y2[q] += n.shape == spiking::SynapseShape::alpha ? n.y1[q] * time : 0;
      n.y2[q] *= std::exp(-time / n.tau[q]);
      n.y1[q] *= std::exp(-time / n.tau[q]);
    }
    return n;
  }

  /// Voltage and threshold by Runge-Kutta; what they depend on, in closed form.
  static DenseNeuron after(const DenseNeuron& n, double time) {
    const auto slopes = [&](double s, double V, double th_v) {
      const DenseNeuron later = held(n, s);
      double drive = n.external();
      for (std::size_t j = 0; j < n.I.size(); ++j) drive += n.I[j] * std::exp(-n.k[j] * s);
      for (std::size_t q = 0; q < n.tau.size(); ++q) drive += later.y2[q];
      return std::pair((drive - n.G * V) / n.C, n.voltage_part ? n.a_v * V - n.b_v * th_v : 0);
    };
    const auto [v1, w1] = slopes(0, n.V, n.th_v);
    const auto [v2, w2] = slopes(time / 2, n.V + v1 * time / 2, n.th_v + w1 * time / 2);
    const auto [v3, w3] = slopes(time / 2, n.V + v2 * time / 2, n.th_v + w2 * time / 2);
    const auto [v4, w4] = slopes(time, n.V + v3 * time, n.th_v + w3 * time);
    DenseNeuron result = held(n, time);
    result.V += time / 6 * (v1 + 2 * v2 + 2 * v3 + v4);
    result.th_v += time / 6 * (w1 + 2 * w2 + 2 * w3 + w4);
    result.th_s *= std::exp(-n.decay * time);
    for (std::size_t j = 0; j < n.I.size(); ++j) result.I[j] *= std::exp(-n.k[j] * time);
    return result;
  }

  void fire(std::size_t id, double t, std::vector<spiking::Spike>& spikes) {
    DenseNeuron& n = dense_.neurons[id];
    for (std::size_t j = 0; j < n.I.size(); ++j) {
      n.I[j] = n.I[j] * n.r[j] * std::exp(-n.k[j] * n.t_ref) + n.amp[j];
    }
    n.V = n.spike_part ? n.fraction * n.V + n.shift : n.reset;
    if (n.spike_part) n.th_s = n.th_s * std::exp(-n.decay * n.t_ref) + n.add;
    released_[id] = t + n.t_ref;
    spikes.push_back({t, n.population, n.index});
    for (const DenseSynapse& synapse : dense_.out[id]) {
      arrivals_.insert({t + synapse.delay, {synapse.target, synapse.receptor, synapse.weight}});
    }
  }

  void arrive(double t, std::vector<spiking::Spike>& spikes) {
    for (; change_ < dense_.changes.size() && dense_.changes[change_].time <= t; ++change_) {
      const DenseChange& next = dense_.changes[change_];
      dense_.neurons[next.neuron].injected[next.current] = next.amplitude;
    }
    while (!arrivals_.empty() && arrivals_.begin()->first <= t) {
      const auto [target, receptor, weight] = arrivals_.begin()->second;
      arrivals_.erase(arrivals_.begin());
      DenseNeuron& n = dense_.neurons[target];
      if (n.shape == spiking::SynapseShape::delta) {
        if (released_[target] <= t) n.V += weight;
      } else if (n.shape == spiking::SynapseShape::alpha) {
        n.y1[receptor] += weight * std::numbers::e / n.tau[receptor];
      } else {
        n.y2[receptor] += weight;
      }
    }
    for (std::size_t id = 0; id < dense_.neurons.size(); ++id) {
      if (released_[id] <= t && excess(dense_.neurons[id]) > 0) fire(id, t, spikes);
    }
  }

  DenseNetwork dense_;
  double h_, until_;
  std::size_t change_ = 0;
  std::vector<double> released_;
  std::multimap<double, std::tuple<std::size_t, std::size_t, double>> arrivals_;
};

}  // namespace afterspike::testing
