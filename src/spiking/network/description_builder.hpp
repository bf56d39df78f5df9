#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "afterspike/base/rng.hpp"
#include "afterspike/io/toml_tree.hpp"
#include "afterspike/spiking/connect.hpp"
#include "afterspike/spiking/network_description.hpp"
#include "network/memory_need.hpp"

namespace afterspike::spiking {

/// Reads one description; random numbers come from streams named by population or projection.
class DescriptionBuilder {
 public:
  DescriptionBuilder(io::TomlTable root, std::uint64_t seed)
      : root_(std::move(root)), rng_(Rng(seed).stream("network")) {}

  NetworkDescription build();

 private:
  void read_population(io::TomlTable table, const std::string& name);
  void read_size(io::TomlTable& table, Population& population);
  void read_receptors(io::TomlTable& table, Population& population);
  static void require_parameters(const Population& population, const Model& kind);
  void read_trains(io::TomlTable& table, Population& population);
  void draw_pulses(io::TomlTable& table, Population& population);
  void read_parameter(io::TomlTable& table, Population& population, const Parameter& parameter);
  void draw_parameter(const io::TomlNode& node, const std::string& what, Population& population,
                      const Parameter& parameter, std::uint64_t row = 0);
  void read_projection(io::TomlTable& table);
  static Connection read_rule(io::TomlTable& table);
  void read_radius(io::TomlTable& table, std::int64_t source, std::int64_t target,
                   Connection& connection);
  const Grid& grid_of(io::TomlTable& table, std::string_view key, std::int64_t population);
  Connection read_connection(io::TomlTable& table, const Population& target);
  static void read_receptor(io::TomlTable& table, const Population& target, Connection& connection);
  Projection read_synapses(io::TomlTable& table, std::int64_t source, std::int64_t target);
  void read_electrical(io::TomlTable& table);
  void read_current(io::TomlTable& table);
  void read_record(io::TomlTable& table);
  std::int64_t population_at(io::TomlTable& table, std::string_view key, const std::string& name);
  std::vector<std::int64_t> neurons_of(io::TomlTable& table, std::int64_t population);

  io::TomlTable root_;
  Rng rng_;
  std::vector<Grid> grids_;  ///< Grid of each population; without columns if it has none.
  MemoryNeed memory_;
  NetworkDescription description_;
};

}  // namespace afterspike::spiking
