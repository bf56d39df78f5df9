#include <algorithm>
#include <cmath>
#include <map>

#include "afterspike/base/error.hpp"
#include "sections.hpp"
#include "tensors.hpp"

namespace afterspike::analysis {
namespace {

constexpr std::size_t kBins = 40;

/// The values of one parameter over all layers.
struct Values {
  std::string symbol, unit;
  nn::ParameterGroup group = nn::ParameterGroup::weight;
  std::vector<double> all;
};

/// Returns parameters by name without the layer, in the order of the network.
std::vector<std::pair<std::string, Values>> parameters_of(const nn::Network& network) {
  std::vector<std::pair<std::string, Values>> result;
  for (const nn::Network::Parameter& parameter : network.named()) {
    const bool readout = parameter.name.starts_with("readout.");
    const std::string name = readout ? parameter.name : parameter.spec->name;
    auto found = std::find_if(result.begin(), result.end(),
                              [&](const auto& entry) { return entry.first == name; });
    if (found == result.end()) {
      found = result.insert(
          found, {name, {parameter.spec->symbol, parameter.spec->unit, parameter.spec->group, {}}});
    }
    const std::vector<double> values = values_of(network.physical(parameter.name));
    found->second.all.insert(found->second.all.end(), values.begin(), values.end());
  }
  return result;
}

/// Values before and after training: one row of histograms per parameter.
struct Histories {
  std::string symbol, unit;
  nn::ParameterGroup group = nn::ParameterGroup::weight;
  std::vector<HistogramInput> inputs;
};

void add(std::vector<std::pair<std::string, Histories>>& histories, const nn::Network& network,
         const std::string& label, int color, bool thin) {
  for (auto& [name, values] : parameters_of(network)) {
    if (values.all.empty()) continue;
    const auto same = [&, &wanted = name](const auto& entry) { return entry.first == wanted; };
    auto found = std::find_if(histories.begin(), histories.end(), same);
    if (found == histories.end()) {
      found = histories.insert(found, {name, {values.symbol, values.unit, values.group, {}}});
    }
    // Runs of a group are pooled.
    auto& inputs = found->second.inputs;
    const auto pooled = std::find_if(inputs.begin(), inputs.end(),
                                     [&](const auto& input) { return input.name == label; });
    if (pooled == inputs.end()) {
      inputs.push_back({label, std::move(values.all), color, thin});
    } else {
      pooled->values.insert(pooled->values.end(), values.all.begin(), values.all.end());
    }
  }
}

/// "membrane decay k_m".
std::string readable(const std::string& name, const std::string& symbol) {
  std::string text = name;
  std::replace(text.begin(), text.end(), '_', ' ');
  std::replace(text.begin(), text.end(), '.', ' ');
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text + ", " + symbol;
}

report::Chart chart_of(const std::string& name, const Histories& histories) {
  report::Chart chart;
  chart.id = "parameter-" + name;
  std::replace(chart.id.begin(), chart.id.end(), '_', '-');
  std::replace(chart.id.begin(), chart.id.end(), '.', '-');
  chart.title = readable(name, histories.symbol);
  chart.x = {histories.symbol, histories.unit == "1" ? "" : histories.unit};
  chart.y = {"share of the values", "%"};
  std::vector<HistogramInput> drawn;
  chart.caption = take_constants(histories.inputs, drawn);
  chart.series = histograms(drawn);
  return chart;
}

}  // namespace

std::string take_constants(const std::vector<HistogramInput>& inputs,
                           std::vector<HistogramInput>& drawn) {
  std::string text;
  for (const HistogramInput& input : inputs) {
    const auto [low, high] = std::minmax_element(input.values.begin(), input.values.end());
    if (*low < *high) {
      drawn.push_back(input);
    } else {
      text += fmt::format("{}{}: all {:.4g}.", text.empty() ? "" : " ", input.name, *low);
    }
  }
  return text;
}

std::vector<report::Series> histograms(const std::vector<HistogramInput>& inputs,
                                       bool logarithmic) {
  const auto scaled = [&](double value) { return logarithmic ? std::log10(value) : value; };
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const HistogramInput& input : inputs) {
    for (const double value : input.values) {
      if (!std::isfinite(scaled(value))) continue;
      low = std::min(low, scaled(value));
      high = std::max(high, scaled(value));
    }
  }
  if (!(high > low)) {
    const double around = std::max(std::abs(low), 1e-3) * 0.05;
    low -= around;
    high += around;
  }
  const double width = (high - low) / static_cast<double>(kBins);
  std::vector<report::Series> result;
  for (const HistogramInput& input : inputs) {
    report::Series series;
    series.name = input.name;
    series.draw = report::Series::Draw::steps;
    series.color = input.color;
    series.thin = input.thin;
    series.y.assign(kBins + 2, 0);  // An empty bin on each side closes the outline.
    for (std::size_t bin = 0; bin < kBins + 2; ++bin) {
      const double centre = low + width * (static_cast<double>(bin) - 0.5);
      series.x.push_back(logarithmic ? std::pow(10, centre) : centre);
    }
    for (const double value : input.values) {
      if (!std::isfinite(scaled(value))) continue;
      const auto bin = static_cast<std::size_t>((scaled(value) - low) / width);
      series.y[std::min(bin, kBins - 1) + 1] += 100.0 / static_cast<double>(input.values.size());
    }
    result.push_back(std::move(series));
  }
  return result;
}

report::Section parameters_section(ReportData& data) {
  report::Section section{
      "parameters",
      "Parameters",
      {"Physical values of all layers, before training (thin) and after it. Before: the initial "
       "values, drawn again from the run's seed. Runs of a group are pooled."},
      {}};
  std::vector<std::pair<std::string, Histories>> histories;
  for (const ReportRun& run : data.runs) {
    const bool several = data.group_labels.size() > 1;
    const std::string prefix = several ? data.group_labels[run.group] + ": " : "";
    const int color = several ? static_cast<int>(run.group) : 0;
    try {
      add(histories, *experiment::initial_network(*run.subject.trained), prefix + "before",
          several ? color : report::Series::kGrey, true);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::internal) throw;
      section.blocks.emplace_back(report::Note{fmt::format(
          "{}: the initial values cannot be drawn again: {}", run.label, error.what())});
    }
    add(histories, run.network(), prefix + "after", color, false);
  }
  for (const auto group :
       {nn::ParameterGroup::intrinsic, nn::ParameterGroup::weight, nn::ParameterGroup::bias}) {
    for (const auto& [name, history] : histories) {
      if (history.group != group) continue;
      report::Chart chart = chart_of(name, history);
      if (chart.series.empty()) {
        section.blocks.emplace_back(
            report::Note{fmt::format("{}: {}", chart.title, chart.caption)});
      } else {
        section.blocks.emplace_back(std::move(chart));
      }
    }
  }
  return section;
}

}  // namespace afterspike::analysis
