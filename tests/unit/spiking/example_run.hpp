#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "afterspike/spiking/network_description.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "network_statistics.hpp"

/// Runs of the networks in tasks/networks.
namespace afterspike::testing {

/// A run of an example; statistics leave out the first `skipped_ms`.
class Example {
 public:
  Example(const std::string& name, double until_ms, double skipped_ms,
          const std::vector<spiking::DescriptionSetting>& settings = {}, std::uint64_t seed = 1)
      : description_(spiking::read_description(path_of(name), with_seed(settings, seed))),
        simulation_(description_.network, {.seed = seed}),
        skipped_ms_(skipped_ms),
        until_ms_(until_ms > 0 ? until_ms : description_.until_ms) {
    simulation_.run_until(until_ms_);
  }

  NetworkStatistics operator[](const std::string& population) const {
    const std::int64_t index = description_.network.population(population);
    const std::int64_t size =
        description_.network.populations[static_cast<std::size_t>(index)].size;
    return {simulation_, index, size, skipped_ms_, until_ms_};
  }

 private:
  static std::filesystem::path path_of(const std::string& name) {
    return std::filesystem::path(AFTERSPIKE_TEST_SOURCE_DIR) / "tasks/networks" / (name + ".toml");
  }
  static std::vector<spiking::DescriptionSetting> with_seed(
      std::vector<spiking::DescriptionSetting> settings, std::uint64_t seed) {
    settings.emplace_back("seed", std::to_string(seed));
    return settings;
  }

  spiking::NetworkDescription description_;
  spiking::Simulation simulation_;
  double skipped_ms_, until_ms_;
};

}  // namespace afterspike::testing
