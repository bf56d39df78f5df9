#include "afterspike/transfer/section.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace afterspike::transfer {
namespace {

report::Table figures(const Report& compared) {
  const auto percent = [](double part) { return fmt::format("{:.2f} %", 100 * part); };
  report::Table table;
  table.id = "parity-figures";
  table.title = "Rates and spikes";
  table.caption = "The same samples, shown to the rate network and to the spiking network.";
  table.columns = {"what", "value"};
  table.rows = {
      {"samples", static_cast<double>(compared.samples)},
      {"accuracy of the rate network", percent(compared.rate_accuracy)},
      {"accuracy of the rate network with a hard threshold", percent(compared.hard_accuracy)},
      {"accuracy with spikes", percent(compared.spiking_accuracy)},
      {"decided alike", percent(compared.agreement)},
      {"decided as with a hard threshold", percent(compared.hard_agreement)},
      {"correlation of outputs", compared.correlation},
      {"samples with other spikes than a hard threshold gives",
       static_cast<double>(compared.first_differences.size())},
      {"approximated parameters", static_cast<double>(compared.approximated)}};
  return table;
}

/// Errors of all neurons, from the largest to the smallest.
report::Chart errors(const Report& compared) {
  std::vector<double> sorted = compared.rate_errors;
  std::sort(sorted.rbegin(), sorted.rend());
  report::Series series;
  series.name = "neurons";
  for (std::size_t place = 0; place < sorted.size(); ++place) {
    series.x.push_back(static_cast<double>(place + 1));
    series.y.push_back(sorted[place]);
  }
  report::Chart chart;
  chart.id = "parity-rates";
  chart.title = "Error of each neuron's rate";
  chart.caption =
      "Root mean square, over samples, of the difference between a neuron's mean rate and the part "
      "of "
      "the steps in which it spikes; neurons in the order of that.";
  chart.x = {"neuron, by rank"};
  chart.y = {"error of the rate"};
  chart.series = {std::move(series)};
  return chart;
}

}  // namespace

report::Section section(const Report& compared, const std::string& name) {
  report::Section section;
  section.id = "spiking";
  section.title = "As a spiking network";
  section.text = {fmt::format("{}. {}", name, compared.verdict())};
  section.blocks = {figures(compared), errors(compared)};
  return section;
}

}  // namespace afterspike::transfer
