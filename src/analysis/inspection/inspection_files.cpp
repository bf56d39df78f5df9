#include "afterspike/analysis/inspection.hpp"
#include "afterspike/io/atomic.hpp"
#include "afterspike/io/table.hpp"

namespace afterspike::analysis {
namespace {

/// Returns "voltage_mV".
std::string column_name(const Quantity& quantity) {
  return quantity.unit.empty() ? quantity.name : quantity.name + "_" + quantity.unit;
}

/// Returns "drive_mV_per_step".
std::string drive_column(const Probe& probe) {
  if (probe.drive_unit.empty()) return "drive";
  std::string name = "drive_" + probe.drive_unit;
  const auto slash = name.find('/');
  return slash == std::string::npos ? name : name.replace(slash, 1, "_per_");
}

/// Returns a row for each unit and each value of `along`.
io::Table curves_table(const std::string& name, const std::vector<double>& along,
                       const std::vector<Quantity>& quantities) {
  io::Table table{{"unit", name}, {}};
  for (const Quantity& quantity : quantities) {
    table.columns.push_back(column_name(quantity));
    table.columns.push_back(column_name(quantity) + "_sd");
  }
  for (std::size_t unit = 0; unit < quantities.front().curves.size(); ++unit) {
    if (quantities.front().curves[unit].mean.empty()) continue;
    for (std::size_t i = 0; i < along.size(); ++i) {
      std::vector<double> row = {static_cast<double>(unit), along[i]};
      for (const Quantity& quantity : quantities) {
        row.insert(row.end(), {quantity.curves[unit].mean[i], quantity.curves[unit].sd[i]});
      }
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

io::Table raster_table(const Raster& raster, const nn::Network& network) {
  io::Table table{{"step", "time_ms"}, {}};
  for (const NeuronId& neuron : hidden_neurons(network)) {
    table.columns.push_back(fmt::format("layer_{}_neuron_{}", neuron.layer, neuron.neuron));
  }
  for (std::size_t step = 0; step < raster.time_ms.size(); ++step) {
    std::vector<double> row = {static_cast<double>(step + 1), raster.time_ms[step]};
    const auto column = raster.activity.col(static_cast<Eigen::Index>(step));
    row.insert(row.end(), column.begin(), column.end());
    table.rows.push_back(std::move(row));
  }
  return table;
}

io::Table spectrum_table(const std::vector<Spectrum>& spectra) {
  io::Table table{{"matrix", "real", "imaginary"}, {}};
  for (std::size_t i = 0; i < spectra.size(); ++i) {
    for (const auto& value : spectra[i].eigenvalues) {
      table.rows.push_back({static_cast<double>(i), value.real(), value.imag()});
    }
  }
  return table;
}

/// Empty without values from before training.
io::Table timescales_table(const Inspection& inspection) {
  const bool both = !inspection.before.empty() && !inspection.before.front().values.empty();
  io::Table table{{"parameter", "value"}, {}};
  if (both) table.columns.emplace_back("before_ms");
  table.columns.emplace_back("after_ms");
  for (std::size_t i = 0; i < inspection.after.size(); ++i) {
    const std::vector<double>& after = inspection.after[i].values;
    for (std::size_t j = 0; j < after.size(); ++j) {
      std::vector<double> row = {static_cast<double>(i), static_cast<double>(j)};
      if (both) row.push_back(inspection.before[i].values[j]);
      row.push_back(after[j]);
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

io::Table saliency_table(const Saliency& saliency) {
  io::Table table{{"step", "time_ms", "mean"}, {}};
  for (Eigen::Index i = 0; i < saliency.sample.cols(); ++i) {
    table.columns.push_back(fmt::format("sample_feature_{}", i));
  }
  const auto length = static_cast<std::size_t>(saliency.sample.rows());
  for (std::size_t step = 0; step < saliency.mean.size(); ++step) {
    std::vector<double> row = {static_cast<double>(step + 1), saliency.time_ms[step],
                               saliency.mean[step]};
    for (Eigen::Index i = 0; i < saliency.sample.cols(); ++i) {
      row.push_back(step < length ? saliency.sample(static_cast<Eigen::Index>(step), i) : 0);
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

template <typename List>
std::vector<std::string> names_of(const List& list) {
  std::vector<std::string> names;
  for (const auto& item : list) names.push_back(item.name);
  return names;
}

/// Returns the positions of neurons by their indices into hidden_neurons().
io::Json places_of(const std::vector<std::int64_t>& numbers, const nn::Network& network) {
  const std::vector<NeuronId> neurons = hidden_neurons(network);
  io::Json places = io::Json::array();
  for (const std::int64_t number : numbers) {
    const NeuronId& id = neurons[static_cast<std::size_t>(number)];
    places.push_back({{"layer", id.layer}, {"neuron", id.neuron}});
  }
  return places;
}

io::Json describe(const Inspection& inspection, const nn::Network& network) {
  io::Json units = io::Json::array();
  for (std::size_t i = 0; i < inspection.units.size(); ++i) {
    const Unit& unit = inspection.units[i];
    units.push_back({{"name", unit.name}, {"neurons", places_of(unit.neurons, network)}});
    if (inspection.probe) units.back()["probed"] = inspection.probe->probed[i];
  }
  io::Json result = {{"run", inspection.run},
                     {"units", std::move(units)},
                     {"matrices", names_of(inspection.spectra)},
                     {"timescales", names_of(inspection.after)}};
  if (inspection.probe && !inspection.probe->drive.empty()) {
    const Probe& probe = *inspection.probe;
    result["step"] = {{"drive", probe.step_drive},
                      {"unit", probe.drive_unit},
                      {"onset_ms", probe.onset_ms},
                      {"end_ms", probe.end_ms}};
  }
  if (inspection.probe) result["run_away"] = places_of(inspection.probe->run_away, network);
  if (inspection.raster) result["sample"] = inspection.raster->sample;
  if (inspection.saliency) result["saliency_samples"] = inspection.saliency->samples;
  result["notes"] = inspection.notes;
  return result;
}

}  // namespace

void write_inspection(const std::filesystem::path& directory, const Inspection& inspection,
                      const nn::Network& network) {
  io::AtomicDirectory target(directory);
  const auto write = [&](const char* name, const io::Table& table) {
    if (!table.rows.empty()) io::write_csv(target.staging() / name, table);
  };
  if (inspection.probe && !inspection.probe->drive.empty()) {
    const Probe& probe = *inspection.probe;
    write("fi_curves.csv", curves_table(drive_column(probe), probe.drive, {probe.activity}));
    write("step_responses.csv", curves_table("time_ms", probe.time_ms, probe.step_response));
  }
  if (inspection.raster) write("raster.csv", raster_table(*inspection.raster, network));
  write("spectrum.csv", spectrum_table(inspection.spectra));
  write("timescales.csv", timescales_table(inspection));
  if (inspection.saliency) write("saliency.csv", saliency_table(*inspection.saliency));
  io::write_file(target.staging() / "inspection.json",
                 describe(inspection, network).dump(2) + "\n");
  target.commit();
}

}  // namespace afterspike::analysis
