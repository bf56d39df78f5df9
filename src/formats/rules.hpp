#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "afterspike/formats/exporter.hpp"

/// Requirements of several formats on a network, and the changes that they make to it.
namespace afterspike::formats {

/// In how many values, and of which neurons of a population, something is not as it was.
class Concerned {
 public:
  explicit Concerned(std::int64_t size) : is_in_(static_cast<std::size_t>(size)) {}

  void add(std::int64_t neuron) {
    is_in_[static_cast<std::size_t>(neuron)] = true;
    ++values_;
  }
  /// Adds the targets, or the sources, of all synapses.
  void add_targets(const spiking::Projection& projection);
  void add_sources(const spiking::Projection& projection);
  bool none() const { return values_ == 0; }
  /// Lists it, where it is anything.
  void list(const std::string& what, const std::string& replacement, const std::string& population,
            std::vector<Deviation>& deviations) const;

 private:
  std::vector<bool> is_in_;
  std::int64_t values_ = 0;
};

/// Applies change(value, index), which says whether it changed the value, to a column, where the
/// population has it, and lists what was changed.
void change_column(spiking::Population& population, const char* column, const std::string& what,
                   const std::string& replacement,
                   const std::function<bool(double&, std::size_t)>& change,
                   std::vector<Deviation>& deviations);

/// A model with after-spike currents of which there are none as the one without: the same neuron.
void name_without_currents(spiking::Population& population);

/// Leaves out constant currents.
void drop_constant_current(spiking::Population& population, std::vector<Deviation>& deviations);

/// Lists the readout, where there is one, as left out.
void list_readout(const spiking::Network& network, std::vector<Deviation>& deviations);

/// Throws Error(config) for GLIFR neurons that escape or have copies: others know no chance.
void require_deterministic(const spiking::Population& population);

/// Throws Error(config) for GLIFR neurons without resistance, or of which nothing decays, or
/// everything within a step: no decay in continuous time is theirs.
void require_decays(const spiking::Population& population, double dt_ms);

/// Throws Error(config) for a network with Poisson sources.
void require_no_poisson(const spiking::Network& network, std::string_view format);

/// Throws Error(config) for a network with step or noise currents.
void require_no_currents(const spiking::Network& network, std::string_view format);

}  // namespace afterspike::formats
