#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/formats/exporter.hpp"
#include "afterspike/io/hdf5.hpp"
#include "support/temp_dir.hpp"
#include "unit/spiking/sample_networks.hpp"

/// A small SONATA directory, and changes of its files.
namespace afterspike::testing {

/// Two neurons of different kinds, and two virtual nodes that spike.
inline void write_net(const std::filesystem::path& path) {
  spiking::Network network;
  network.populations = {
      make_population("cells", "glif3", 2, spiking::SynapseShape::alpha, {2, 5}, Rng(1)),
      make_population("input", "spike_source", 2, spiking::SynapseShape::delta, {}, Rng(2))};
  network.populations[0].columns["constant_current"] = {0, 0};
  network.populations[1].trains = {{0, 2, 3}, {1, 2, 7}};
  using Synapses = std::vector<spiking::Synapse>;
  network.projections = {spiking::make_projection(network.populations, 1, 0,
                                                  Synapses{{0, 0, 9, 1, 0}, {1, 1, 5, 2, 1}})};
  formats::export_network(
      find_entry<formats::ExporterEntry>(formats::entries(), "sonata", "format"), network, path,
      {});
}

inline void add_numbers(const io::Hdf5File& file, const std::string& path,
                        std::map<std::string, std::vector<double>>& numbers) {
  for (const std::string& name : file.members(path.empty() ? "/" : path)) {
    const std::string own = path + "/" + name;
    if (file.is_group(own)) {
      add_numbers(file, own, numbers);
    } else {
      numbers[own] = file.read<double>(own).values;
    }
  }
}

/// Writes an HDF5 file anew with a data set of it replaced, or one more.
inline void change(const std::filesystem::path& path, const std::string& dataset,
                   const std::vector<double>& values, const std::string& units = "milliseconds") {
  std::map<std::string, std::vector<double>> numbers;
  std::map<std::string, std::string> nodes;
  {
    const io::Hdf5File file(path);
    add_numbers(file, "", numbers);
    for (const auto& [name, ignored] : numbers) {
      if (file.has_attribute(name, "node_population")) {
        nodes[name] = file.text_attribute(name, "node_population");
      }
    }
  }
  if (!dataset.empty()) numbers[dataset] = values;
  io::Hdf5File file(path, io::Hdf5File::Mode::create);
  for (const auto& [name, own] : numbers) {
    const std::vector<std::int64_t> shape = {static_cast<std::int64_t>(own.size())};
    const bool real =
        name.ends_with("syn_weight") || name.ends_with("delay") || name.ends_with("timestamps");
    if (real) {
      file.write<double>(name, {shape, own});
    } else {
      file.write<std::int64_t>(name, {shape, {own.begin(), own.end()}});
    }
    if (name.ends_with("timestamps")) file.write_text_attribute(name, "units", units);
    if (nodes.contains(name)) file.write_text_attribute(name, "node_population", nodes.at(name));
  }
}

/// Replaces a text in a file.
inline void edit(const std::filesystem::path& path, const std::string& from,
                 const std::string& to) {
  std::string content = slurp(path);
  const auto at = content.find(from);
  ASSERT_NE(at, std::string::npos) << path << ": " << from;
  spill(path, content.replace(at, from.size(), to));
}

}  // namespace afterspike::testing
