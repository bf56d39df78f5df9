#include <algorithm>

#include "afterspike/analysis/inspection.hpp"
#include "sections.hpp"

namespace afterspike::analysis {
namespace {

constexpr Eigen::Index kMaxMapRows = 400,
                       kMaxMapColumns = 200;  // Larger maps show means.

/// Returns how many neighbours to merge so that at most `most` remain.
Eigen::Index width_of(Eigen::Index count, Eigen::Index most) {
  return std::max<Eigen::Index>(1, (count + most - 1) / most);
}

/// A run in the section: its inspection, the end of its figures' titles, and that of their ids.
struct RunView {
  const Inspection& inspection;
  const ReportRun& run;
  std::string title, id;
};

/// Returns "19", "1:19" (layer:neuron) in a network of several layers.
std::string neuron_name(const NeuronId& id, const nn::Network& network) {
  return network.options().layers == 1 ? std::to_string(id.neuron)
                                       : fmt::format("{}:{}", id.layer, id.neuron);
}

report::HeatMap raster_map(const RunView& view) {
  const Inspection& inspection = view.inspection;
  const ReportRun& run = view.run;
  const Raster& raster = *inspection.raster;
  // Neurons of a unit side by side, in the order of clusters.
  std::vector<Eigen::Index> order;
  std::vector<std::string> rows;
  const std::vector<NeuronId> neurons = hidden_neurons(run.network());
  for (const Unit& unit : inspection.units) {
    for (const std::int64_t number : unit.neurons) {
      const NeuronId& id = neurons[static_cast<std::size_t>(number)];
      order.push_back(number);
      rows.push_back(neuron_name(id, run.network()) +
                     (unit.cluster < 0 ? std::string() : fmt::format(" c{}", unit.cluster)));
    }
  }
  statistics::Points sorted(static_cast<Eigen::Index>(order.size()), raster.activity.cols());
  for (std::size_t i = 0; i < order.size(); ++i) {
    sorted.row(static_cast<Eigen::Index>(i)) = raster.activity.row(order[i]);
  }
  report::HeatMap map = map_over_time(sorted, raster.time_ms, rows);
  map.id = "raster" + view.id;
  map.title = "Activity of all neurons" + view.title;
  const bool several = run.network().options().layers > 1;
  map.caption =
      fmt::format("Size of each neuron's output while it sees sample {}.{}", raster.sample,
                  inspection.units.size() > 1 ? " Sorted by cluster: c0, c1, ..." : "") +
      map.caption;
  map.y = {several ? "layer:neuron" : "neuron"};
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
      series.low.push_back(curve.low[i]);
      series.high.push_back(curve.high[i]);
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

void add_probe(const RunView& view, report::Section& section) {
  const Inspection& inspection = view.inspection;
  const Probe& probe = *inspection.probe;
  if (probe.drive.empty()) return;
  report::Chart curve = quantity_chart(inspection, probe.drive, probe.activity);
  curve.id = "fi" + view.id;
  curve.title = "f-I curves" + view.title;
  curve.caption =
      "Settled activity of each neuron alone, under a constant drive: mean over the neurons of a "
      "cluster; the band holds nine tenths of them. Activity is a neuron's output in a time step.";
  curve.x = {"drive", probe.drive_unit};
  section.blocks.emplace_back(std::move(curve));
  for (const Quantity& quantity : probe.step_response) {
    report::Chart chart = quantity_chart(inspection, probe.time_ms, quantity);
    chart.id = "step-" + quantity.name + view.id;
    std::replace(chart.id.begin(), chart.id.end(), '_', '-');
    chart.title = fmt::format("Response to a step, {}{}", chart.y.name, view.title);
    chart.caption = fmt::format(
        "A drive of {:.3g} {} from {:.4g} to {:.4g} ms, at rest before. Mean, and nine tenths of "
        "the neurons. Scales are those that the task has taught, not those of a cell.",
        probe.step_drive, probe.drive_unit, probe.onset_ms, probe.end_ms);
    chart.x = {"time", "ms"};
    section.blocks.emplace_back(std::move(chart));
  }
}

report::Chart spectrum_chart(const RunView& view) {
  report::Chart chart;
  chart.id = "spectrum" + view.id;
  chart.title = "Eigenvalues of the recurrent weights" + view.title;
  chart.caption = "The weights from neurons to neurons, in their unit.";
  chart.x = {"real part"};
  chart.y = {"imaginary part"};
  for (const Spectrum& spectrum : view.inspection.spectra) {
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

report::Chart timescales_chart(const RunView& view) {
  const Inspection& inspection = view.inspection;
  report::Chart chart;
  chart.id = "timescales" + view.id;
  chart.title = "Time constants" + view.title;
  chart.x = {"time constant", "ms", true};
  chart.y = {"share of the neurons", "%"};
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
  std::vector<HistogramInput> drawn;
  chart.caption = "1 / k of a decay k. Thin: before training. " + take_constants(inputs, drawn);
  chart.series = histograms(drawn, true);
  return chart;
}

void add_saliency(const RunView& view, report::Section& section) {
  const Saliency& saliency = *view.inspection.saliency;
  report::Chart chart;
  chart.id = "saliency" + view.id;
  chart.title = "When the input matters" + view.title;
  chart.caption = fmt::format(
      "How much the answer changes with the input at each time: |d answer / "
      "d input|, added up over features, mean over {} samples.",
      saliency.samples);
  chart.x = {"time", "ms"};
  chart.y = {"sensitivity"};
  report::Series series;
  series.name = "mean";
  series.x = saliency.time_ms;
  series.y = saliency.mean;
  chart.series.push_back(std::move(series));
  section.blocks.emplace_back(std::move(chart));
  if (saliency.sample.cols() < 2) return;
  std::vector<std::string> rows;
  for (Eigen::Index i = 0; i < saliency.sample.cols(); ++i) rows.push_back(std::to_string(i));
  report::HeatMap map = map_over_time(saliency.sample.transpose(), saliency.time_ms, rows);
  map.id = "saliency-sample" + view.id;
  map.title = "Where the input matters" + view.title;
  map.caption =
      fmt::format("The same for each feature of sample {}.", view.inspection.raster->sample) +
      map.caption;
  map.y = {"feature"};
  map.scale = "sensitivity";
  map.wide = false;
  section.blocks.emplace_back(std::move(map));
}

/// Returns the clusters of a run's neurons; all neurons as one unit without clusters.
std::vector<Unit> units_of(const ReportData& data, const ReportRun& run) {
  const auto number = static_cast<std::size_t>(&run - data.runs.data());
  if (number < data.labels.size() && !data.labels[number].empty()) {
    return cluster_units(data.labels[number]);
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

report::Section network_section(ReportData& data) {
  report::Section section{"network", "Neurons at work", {}, {}};
  if (data.runs.size() > data.group_labels.size()) {
    section.text = {
        "The first run of each group; afterspike inspect gives the same for any run "
        "and any neurons."};
  }
  for (std::size_t group = 0; group < data.group_labels.size(); ++group) {
    const ReportRun& run = *data.of_group(group).front();
    InspectionOptions options;
    options.sample = data.request.sample;
    const Inspection found = inspect(run.subject, units_of(data, run), options, data.pool);
    const RunView view{found, run, data.suffix(run), fmt::format("-{}", group)};
    if (found.probe) add_probe(view, section);
    if (found.raster) section.blocks.emplace_back(raster_map(view));
    if (!found.spectra.empty()) section.blocks.emplace_back(spectrum_chart(view));
    if (!found.after.empty()) {
      report::Chart chart = timescales_chart(view);
      if (!chart.series.empty()) section.blocks.emplace_back(std::move(chart));
    }
    if (found.saliency) add_saliency(view, section);
    for (const std::string& note : found.notes) {
      section.blocks.emplace_back(report::Note{fmt::format("{}: {}", run.label, note)});
    }
  }
  return section;
}

}  // namespace afterspike::analysis
