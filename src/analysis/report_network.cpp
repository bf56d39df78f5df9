#include <algorithm>

#include "afterspike/analysis/inspection.hpp"
#include "report_parts.hpp"

namespace afterspike::analysis {
namespace {

constexpr Eigen::Index kMaxMapRows = 400,
                       kMaxMapColumns = 200;  // Max columns of a map; means are shown beyond.

/// Returns how many neighbours to merge so that at most `most` remain.
Eigen::Index width_of(Eigen::Index count, Eigen::Index most) {
  return std::max<Eigen::Index>(1, (count + most - 1) / most);
}

report::HeatMap raster_map(const Inspection& inspection, const ReportRun& run,
                           const std::string& suffix) {
  const Raster& raster = *inspection.raster;
  // Neurons of a unit side by side, in the order of clusters.
  std::vector<Eigen::Index> order;
  std::vector<std::string> rows;
  const std::vector<NeuronId> neurons = hidden_neurons(run.network());
  for (const Unit& unit : inspection.units) {
    for (const std::int64_t number : unit.neurons) {
      const NeuronId& id = neurons[static_cast<std::size_t>(number)];
      order.push_back(number);
      rows.push_back(fmt::format("{}.{}", id.layer, id.neuron));
    }
  }
  statistics::Points sorted(static_cast<Eigen::Index>(order.size()), raster.activity.cols());
  for (std::size_t i = 0; i < order.size(); ++i) {
    sorted.row(static_cast<Eigen::Index>(i)) = raster.activity.row(order[i]);
  }
  report::HeatMap map = map_over_time(sorted, raster.time_ms, rows);
  map.id = "raster" + suffix;
  map.title = fmt::format("Activity of all neurons: {}", run.label);
  map.caption = fmt::format(
                    "Size of what each neuron emits during sample {}; rows are neurons "
                    "(layer.neuron), by cluster where there are clusters.",
                    raster.sample) +
                map.caption;
  map.y = {"neuron"};
  map.scale = "activity";
  map.tall = true;
  return map;
}

report::Series series_of(const Unit& unit, std::int64_t probed, const std::vector<double>& x,
                         const Curve& curve, std::size_t number) {
  report::Series series;
  const auto all = static_cast<std::int64_t>(unit.neurons.size());
  series.name = unit.name;
  if (probed < all) {
    series.name += fmt::format(" ({} of {} neurons)", probed, all);
  } else if (all > 1) {
    series.name += fmt::format(" ({} neurons)", all);
  }
  series.x = x;
  series.y = curve.mean;
  series.color =
      static_cast<int>(unit.cluster < 0 ? static_cast<std::int64_t>(number) : unit.cluster);
  if (unit.neurons.size() > 1) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      series.low.push_back(curve.mean[i] - curve.sd[i]);
      series.high.push_back(curve.mean[i] + curve.sd[i]);
    }
  }
  return series;
}

report::Chart quantity_chart(const Inspection& inspection, const std::vector<double>& x,
                             const Quantity& quantity) {
  report::Chart chart;
  std::string name = quantity.name;
  std::replace(name.begin(), name.end(), '_', ' ');
  chart.y = {name, quantity.unit};
  for (std::size_t i = 0; i < inspection.units.size(); ++i) {
    if (quantity.curves[i].mean.empty()) continue;
    chart.series.push_back(
        series_of(inspection.units[i], inspection.probe->probed[i], x, quantity.curves[i], i));
  }
  return chart;
}

void add_probe(const Inspection& inspection, const ReportRun& run, const std::string& suffix,
               report::Section& section) {
  const Probe& probe = *inspection.probe;
  if (probe.drive.empty()) return;
  report::Chart curve = quantity_chart(inspection, probe.drive, probe.activity);
  curve.id = "fi" + suffix;
  curve.title = fmt::format("f-I curves: {}", run.label);
  curve.caption =
      "Activity that neurons settle to, each by itself under a constant drive; mean and "
      "one standard deviation over the neurons of a cluster.";
  curve.x = {"drive", probe.drive_unit};
  section.blocks.emplace_back(std::move(curve));
  for (const Quantity& quantity : probe.step_response) {
    report::Chart chart = quantity_chart(inspection, probe.time_ms, quantity);
    chart.id = "step-" + quantity.name + suffix;
    std::replace(chart.id.begin(), chart.id.end(), '_', '-');
    chart.title = fmt::format("Response to a step, {}: {}", chart.y.name, run.label);
    chart.caption = fmt::format("A drive of {:.3g} {} from {:.4g} to {:.4g} ms, at rest before.",
                                probe.step_drive, probe.drive_unit, probe.onset_ms, probe.end_ms);
    chart.x = {"time", "ms"};
    section.blocks.emplace_back(std::move(chart));
  }
}

report::Chart spectrum_chart(const Inspection& inspection, const ReportRun& run,
                             const std::string& suffix) {
  report::Chart chart;
  chart.id = "spectrum" + suffix;
  chart.title = fmt::format("Eigenvalues of the recurrent weights: {}", run.label);
  chart.caption = "Of the matrix from neurons to neurons, in the unit of the weights.";
  chart.x = {"real part"};
  chart.y = {"imaginary part"};
  for (const Spectrum& spectrum : inspection.spectra) {
    report::Series series;
    series.name = spectrum.name;
    series.draw = report::Series::Draw::points;
    for (const auto& value : spectrum.eigenvalues) {
      series.x.push_back(value.real());
      series.y.push_back(value.imag());
    }
    chart.series.push_back(std::move(series));
  }
  return chart;
}

report::Chart timescales_chart(const Inspection& inspection, const ReportRun& run,
                               const std::string& suffix) {
  report::Chart chart;
  chart.id = "timescales" + suffix;
  chart.title = fmt::format("Time constants: {}", run.label);
  chart.caption = "1 / k of a decay k; before training thin.";
  chart.x = {"time constant", "ms", true};
  chart.y = {"part of the values", "%"};
  std::vector<HistogramInput> inputs;
  for (std::size_t i = 0; i < inspection.after.size(); ++i) {
    std::string name = inspection.after[i].name;
    std::replace(name.begin(), name.end(), '_', ' ');
    const int color = static_cast<int>(i);
    if (!inspection.before[i].values.empty()) {
      inputs.push_back({name + ": before", inspection.before[i].values, color, true});
    }
    inputs.push_back({name + ": after", inspection.after[i].values, color, false});
  }
  chart.series = histograms(inputs, true);
  return chart;
}

void add_saliency(const Inspection& inspection, const ReportRun& run, const std::string& suffix,
                  report::Section& section) {
  const Saliency& saliency = *inspection.saliency;
  report::Chart chart;
  chart.id = "saliency" + suffix;
  chart.title = fmt::format("When the input matters: {}", run.label);
  chart.caption = fmt::format(
      "How much the answer changes with the input at each time: |d answer / "
      "d input|, added up over features, mean over {} samples.",
      saliency.samples);
  chart.x = {"time", "ms"};
  chart.y = {"sensitivity"};
  report::Series series;
  series.name = run.label;
  series.x = saliency.time_ms;
  series.y = saliency.mean;
  chart.series.push_back(std::move(series));
  section.blocks.emplace_back(std::move(chart));
  if (saliency.sample.cols() < 2) return;
  std::vector<std::string> rows;
  for (Eigen::Index i = 0; i < saliency.sample.cols(); ++i) rows.push_back(std::to_string(i));
  report::HeatMap map = map_over_time(saliency.sample.transpose(), saliency.time_ms, rows);
  map.id = "saliency-sample" + suffix;
  map.title = fmt::format("Where the input matters: {}", run.label);
  map.caption = fmt::format("The same for each feature of sample {}.", inspection.raster->sample) +
                map.caption;
  map.y = {"feature"};
  map.scale = "sensitivity";
  map.wide = false;
  section.blocks.emplace_back(std::move(map));
}

/// Returns the clusters of a run's neurons; all neurons as one unit without clusters.
std::vector<Unit> units_of(const Material& material, const ReportRun& run) {
  const auto number = static_cast<std::size_t>(&run - material.runs.data());
  if (number < material.labels.size() && !material.labels[number].empty()) {
    return cluster_units(material.labels[number]);
  }
  Unit all{"all neurons", {}};
  const auto count = static_cast<std::int64_t>(hidden_neurons(run.network()).size());
  for (std::int64_t i = 0; i < count; ++i) all.neurons.push_back(i);
  return {all};
}

}  // namespace

report::HeatMap map_over_time(const statistics::Points& values, const std::vector<double>& time_ms,
                              const std::vector<std::string>& rows) {
  const Eigen::Index width = width_of(values.cols(), kMaxMapColumns);
  const Eigen::Index height = width_of(values.rows(), kMaxMapRows);
  report::HeatMap map;
  map.x = {"time", "ms"};
  map.wide = true;
  for (Eigen::Index left = 0; left < values.cols(); left += width) {
    const Eigen::Index last = std::min(values.cols(), left + width) - 1;
    map.columns.push_back(fmt::format("{:.4g}", time_ms[static_cast<std::size_t>(last)]));
  }
  for (Eigen::Index top = 0; top < values.rows(); top += height) {
    const Eigen::Index tall = std::min(height, values.rows() - top);
    const std::string& name = rows[static_cast<std::size_t>(top)];
    map.rows.push_back(
        tall == 1 ? name
                  : fmt::format("{} to {}", name, rows[static_cast<std::size_t>(top + tall - 1)]));
    map.values.emplace_back();
    for (Eigen::Index left = 0; left < values.cols(); left += width) {
      const Eigen::Index wide = std::min(width, values.cols() - left);
      map.values.back().push_back(values.block(top, left, tall, wide).cwiseAbs().mean());
    }
  }
  if (height > 1 || width > 1) {
    map.caption = fmt::format(" Each cell is the mean of {} by {} neighbours.", height, width);
  }
  return map;
}

report::Section network_section(Material& material) {
  report::Section section{
      "network",
      "Neurons at work",
      {"Of a group of seeds, the first run; afterspike inspect gives the same for "
       "any run and any neurons."},
      {}};
  for (std::size_t group = 0; group < material.group_labels.size(); ++group) {
    const ReportRun& run = *material.of_group(group).front();
    const std::string suffix = fmt::format("-{}", group);
    InspectionOptions options;
    options.sample = material.request.sample;
    const Inspection found = inspect(run.subject, units_of(material, run), options, material.pool);
    if (found.probe) add_probe(found, run, suffix, section);
    if (found.raster) section.blocks.emplace_back(raster_map(found, run, suffix));
    if (!found.spectra.empty()) section.blocks.emplace_back(spectrum_chart(found, run, suffix));
    if (!found.after.empty()) section.blocks.emplace_back(timescales_chart(found, run, suffix));
    if (found.saliency) add_saliency(found, run, suffix, section);
    for (const std::string& note : found.notes) {
      section.blocks.emplace_back(report::Note{fmt::format("{}: {}", run.label, note)});
    }
  }
  return section;
}

}  // namespace afterspike::analysis
