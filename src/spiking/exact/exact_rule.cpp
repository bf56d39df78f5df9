#include "exact/exact_rule.hpp"

#include <algorithm>
#include <cstddef>

#include "afterspike/base/error.hpp"

namespace afterspike::spiking {

std::vector<std::vector<double>> parameter_rows(const Layout& layout, const Piece& piece) {
  const Population& population = layout.population(piece.population);
  std::vector<std::vector<double>> rows(static_cast<std::size_t>(piece.size()));
  for (const Parameter& parameter : model(population.model).parameters) {
    const auto values = population.column(parameter.name);
    for (std::size_t neuron = 0; neuron < rows.size(); ++neuron) {
      rows[neuron].push_back(values[static_cast<std::size_t>(piece.begin) + neuron]);
    }
  }
  return rows;
}

void refuse_receptor(const Layout& layout, std::int64_t population, std::uint8_t receptor,
                     std::string_view remedy) {
  const Population& target = layout.population(population);
  for (const Projection& projection : layout.network->projections) {
    if (projection.target != population || projection.targets.empty()) continue;
    const bool found = std::find(projection.receptors.begin(), projection.receptors.end(),
                                 receptor) != projection.receptors.end();
    require(!found, ErrorKind::config,
            "population '{}': the exact engine computes model '{}' without synapses at receptor"
            " '{}', whose current leaves no closed form. {}",
            target.name, target.model, model(target.model).receptors[receptor].name, remedy);
  }
}

}  // namespace afterspike::spiking
