#include "network_text.hpp"

#include <string>

#include <fmt/format.h>

namespace afterspike::cli {
namespace {

void print_statistics(const std::string& name, const std::string& unit, const io::Json& values) {
  if (values.is_null()) return;
  const auto number = [&](const char* key) { return values[key].get<double>(); };
  fmt::print("  {:28} {:6} {:12.5g} {:12.5g} {:12.5g} {:12.5g}\n", name, unit, number("mean"),
             number("sd"), number("min"), number("max"));
}

void print_population(const io::Json& population) {
  fmt::print("{}: {} of {}", population["name"].get<std::string>(), population["size"].dump(),
             population["model"].get<std::string>());
  if (!population["source"].get<bool>()) {
    fmt::print(", {} cop{} of each; {} synapses, {} receptor{}", population["copies"].dump(),
               population["copies"] == 1 ? "y" : "ies", population["synapse"].get<std::string>(),
               population["receptors"].dump(), population["receptors"] == 1 ? "" : "s");
  }
  fmt::print("\n");
  for (const io::Json& parameter : population["parameters"]) {
    print_statistics(parameter["name"].get<std::string>(), parameter["unit"].get<std::string>(),
                     parameter["values"]);
  }
  print_statistics("synapse_time_constants", "ms", population["synapse_time_constants_ms"]);
}

void print_projection(const io::Json& projection) {
  fmt::print("{} -> {}: {} synapses\n", projection["source"].get<std::string>(),
             projection["target"].get<std::string>(), projection["synapses"].dump());
  print_statistics("weight", projection["weight_unit"].get<std::string>(), projection["weights"]);
  print_statistics("delay", "ms", projection["delays_ms"]);
}

void print_readout(const io::Json& readout) {
  if (readout.is_null()) return;
  fmt::print("readout: {} outputs of the spikes of {} in the last {} ms\n",
             readout["outputs"].dump(), readout["population"].get<std::string>(),
             readout["window_ms"].dump());
  print_statistics("weight", "1", readout["weights"]);
  print_statistics("bias", "1", readout["bias"]);
}

}  // namespace

void print_network(const io::Json& network) {
  for (const char* key :
       {"time_step_ms", "neurons", "synapses", "step_currents", "noise_currents"}) {
    fmt::print("{:19} {}\n", key, network[key].dump());
  }
  for (const auto& [name, value] : network["provenance"].items()) {
    const auto text = value.get<std::string>();
    constexpr std::size_t kLongest = 80;  // A configuration would fill a page.
    fmt::print("{:19} {}\n", name, text.size() <= kLongest ? text : "in full with --json");
  }
  fmt::print("\n  {:28} {:6} {:>12} {:>12} {:>12} {:>12}\n", "", "unit", "mean", "sd", "min",
             "max");
  for (const io::Json& population : network["populations"]) print_population(population);
  for (const io::Json& projection : network["projections"]) print_projection(projection);
  print_readout(network["readout"]);
}

}  // namespace afterspike::cli
