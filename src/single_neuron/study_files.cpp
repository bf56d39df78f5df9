#include "afterspike/single_neuron/study_files.hpp"

#include <cmath>

#include <fmt/format.h>

#include "afterspike/io/atomic.hpp"
#include "afterspike/report/page.hpp"

namespace afterspike::single_neuron {
namespace {

using io::Json;

/// Comma-separated numbers under a line of names; numbers that are not finite are empty cells.
class Rows {
 public:
  explicit Rows(const std::vector<std::string>& columns)
      : text_(fmt::format("{}\n", fmt::join(columns, ","))) {}

  void add(std::initializer_list<double> numbers) { add(std::vector<double>(numbers)); }
  void add(const std::vector<double>& numbers, std::string_view word = "") {
    std::string line;
    for (const double number : numbers) {
      line += std::isfinite(number) ? fmt::format("{},", number) : ",";
    }
    if (word.empty()) line.pop_back();
    text_ += line + std::string(word) + "\n";
    ++count_;
  }
  void write(const std::filesystem::path& path) const {
    if (count_ > 0) io::write_file(path, text_);
  }

 private:
  std::string text_;
  std::size_t count_ = 0;
};

/// Returns "current_pA"; "V" for a variable without a unit.
std::string column(std::string_view name, std::string_view unit) {
  std::string result(name);
  if (unit == "1" || unit.empty()) return result;
  result += "_";
  for (const char letter : unit) {
    if (letter == '/') {
      result += "_per_";
    } else {
      result += letter;
    }
  }
  return result;
}

void write_trace(const std::filesystem::path& directory, const Study& study) {
  const Recorded& recorded = study.step.recorded;
  std::vector<std::string> names = {"time_ms", column("current", study.neuron.current_unit())};
  for (const Trace& trace : recorded.traces) names.push_back(column(trace.name, trace.unit));
  Rows rows(names);
  for (std::size_t at = 0; at < recorded.times_ms.size(); ++at) {
    const double time = recorded.times_ms[at];
    const bool on = time > study.step.onset_ms && time <= study.step.stop_ms;
    std::vector<double> row = {time, on ? study.step.current : 0};
    for (const Trace& trace : recorded.traces) row.push_back(trace.values[at]);
    rows.add(row);
  }
  rows.write(directory / "trace.csv");
  Rows spikes({"trial", "time_ms"});
  for (std::size_t trial = 0; trial < recorded.spikes_ms.size(); ++trial) {
    for (const double time : recorded.spikes_ms[trial]) {
      spikes.add({static_cast<double>(trial), time});
    }
  }
  spikes.write(directory / "spikes.csv");
}

void write_rates(const std::filesystem::path& directory, const Study& study) {
  Rows rows({column("current", study.neuron.current_unit()), "spikes", "mean_rate_per_s",
             "initial_rate_per_s", "steady_rate_per_s", "steady_rate_error_per_s", "latency_ms"});
  for (std::size_t at = 0; at < study.fi.currents.size(); ++at) {
    const Rates& rates = study.fi.rates[at];
    rows.add({study.fi.currents[at], rates.spikes, rates.mean_per_s, rates.initial_per_s,
              rates.steady_per_s, rates.steady_error_per_s, rates.latency_ms});
  }
  rows.write(directory / "fi_curve.csv");
  Rows adaptation({"interval", "rate_per_s", "error_per_s", "trials"});
  for (std::size_t at = 0; at < study.adaptation.rates_per_s.size(); ++at) {
    adaptation.add({static_cast<double>(at + 1), study.adaptation.rates_per_s[at],
                    study.adaptation.errors_per_s[at],
                    static_cast<double>(study.adaptation.trials[at])});
  }
  adaptation.write(directory / "adaptation.csv");
}

void write_gains(const std::filesystem::path& path, const Transfer& transfer,
                 const std::string& gain) {
  Rows rows({"frequency_Hz", gain, "phase_deg", gain + "_error"});
  for (const Gain& each : transfer.gains) {
    rows.add({each.frequency_hz, each.gain, each.phase_deg, each.error});
  }
  rows.write(path);
}

void write_points(const std::filesystem::path& path, const Study& study,
                  const std::vector<FixedPoint>& points) {
  const PhasePlane& plane = *study.plane;
  std::vector<std::string> names = {column("current", study.neuron.current_unit())};
  for (std::size_t axis = 0; axis < plane.names.size(); ++axis) {
    names.push_back(column(plane.names[axis], plane.units[axis]));
  }
  for (std::size_t at = 1; at <= plane.names.size(); ++at) {
    names.push_back(fmt::format("eigenvalue_{}_real_per_ms", at));
    names.push_back(fmt::format("eigenvalue_{}_imaginary_per_ms", at));
  }
  names.emplace_back("kind");
  Rows rows(names);
  for (const FixedPoint& point : points) {
    std::vector<double> row = {point.current};
    for (std::size_t axis = 0; axis < point.variables; ++axis) row.push_back(point.x[axis]);
    for (std::size_t at = 0; at < point.variables; ++at) {
      row.push_back(point.eigenvalues[at].real());
      row.push_back(point.eigenvalues[at].imag());
    }
    rows.add(row, point.kind());
  }
  rows.write(path);
}

void write_plane(const std::filesystem::path& directory, const Study& study) {
  const PhasePlane& plane = *study.plane;
  std::vector<FixedPoint> points = plane.rest;
  points.insert(points.end(), plane.driven.begin(), plane.driven.end());
  write_points(directory / "fixed_points.csv", study, points);
  write_points(directory / "equilibria.csv", study, plane.equilibria);
  if (plane.names.size() < 2) return;
  Rows rows({column("current", study.neuron.current_unit()), "variable", "curve",
             column(plane.names[0], plane.units[0]), column(plane.names[1], plane.units[1])});
  const auto add = [&](double current, const std::vector<std::vector<Polyline>>& nullclines) {
    for (std::size_t variable = 0; variable < nullclines.size(); ++variable) {
      for (std::size_t curve = 0; curve < nullclines[variable].size(); ++curve) {
        for (const auto& [x, y] : nullclines[variable][curve]) {
          rows.add({current, static_cast<double>(variable), static_cast<double>(curve), x, y});
        }
      }
    }
  };
  add(0, plane.rest_nullclines);
  add(study.step.current, plane.driven_nullclines);
  rows.write(directory / "nullclines.csv");
}

/// A number; null if it is not finite.
Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

Json describe(const FixedPoint& point, const PhasePlane& plane) {
  Json eigenvalues = Json::array();
  for (std::size_t at = 0; at < point.variables; ++at) {
    eigenvalues.push_back({point.eigenvalues[at].real(), point.eigenvalues[at].imag()});
  }
  Json result = {{"current", point.current},
                 {"kind", point.kind()},
                 {"eigenvalues_per_ms", std::move(eigenvalues)}};
  for (std::size_t axis = 0; axis < point.variables; ++axis) {
    result[plane.names[axis]] = point.x[axis];
  }
  return result;
}

Json describe(const Transfer& transfer) {
  if (transfer.gains.empty()) return nullptr;
  const Gain* best = &transfer.gains.front();
  for (const Gain& each : transfer.gains) {
    if (each.gain > best->gain) best = &each;
  }
  return {{"offset", transfer.offset},
          {"amplitude", transfer.amplitude},
          {"noise", transfer.noise},
          {"mean", transfer.mean},
          {"lowest_frequency_hz", transfer.gains.front().frequency_hz},
          {"gain_at_lowest", transfer.gains.front().gain},
          {"peak_frequency_hz", best->frequency_hz},
          {"peak_gain", best->gain}};
}

Json parameters_of(const Neuron& neuron) {
  Json result = Json::object();
  for (const spiking::Parameter& each : neuron.model().parameters) {
    const auto values = neuron.population.column(each.name);
    if (values.size() == 1) {
      result[std::string(each.symbol)] = values[0];
    } else {
      result[std::string(each.symbol)] = std::vector<double>(values.begin(), values.end());
    }
  }
  return result;
}

}  // namespace

Json summary_of(const Study& study) {
  const Rates& rates = study.step.rates;
  Json result = {{"model", study.neuron.population.model},
                 {"preset", study.neuron.preset},
                 {"current_unit", study.neuron.current_unit()},
                 {"dt_ms", study.neuron.dt_ms},
                 {"duration_ms", study.protocol.duration_ms},
                 {"trials", study.protocol.trials},
                 {"seed", study.protocol.seed},
                 {"rheobase", study.rheobase.current ? Json(*study.rheobase.current) : Json()},
                 {"fires_without_current", study.rheobase.is_active},
                 {"current", study.step.current},
                 {"spikes", number(rates.spikes)},
                 {"latency_ms", number(rates.latency_ms)},
                 {"initial_rate_per_s", number(rates.initial_per_s)},
                 {"steady_rate_per_s", number(rates.steady_per_s)},
                 {"adaptation_index", number(study.adaptation.index)},
                 {"adaptation_ratio", number(study.adaptation.ratio)},
                 {"impedance", describe(study.impedance)},
                 {"rate_modulation", describe(study.modulation)}};
  result["fixed_points"] = Json::array();
  if (study.plane) {
    for (const auto* points : {&study.plane->rest, &study.plane->driven}) {
      for (const FixedPoint& point : *points) {
        result["fixed_points"].push_back(describe(point, *study.plane));
      }
    }
  }
  result["notes"] = study.notes;
  result["parameters"] = parameters_of(study.neuron);
  return result;
}

void write_study(const std::filesystem::path& directory, const Study& study,
                 const std::string& command) {
  io::AtomicDirectory target(directory);
  const std::filesystem::path& staging = target.staging();
  write_trace(staging, study);
  write_rates(staging, study);
  const auto& first = study.neuron.model().variables.front();
  write_gains(staging / "impedance.csv", study.impedance,
              column("gain", fmt::format("{}/{}", first.unit, study.neuron.current_unit())));
  write_gains(staging / "rate_modulation.csv", study.modulation,
              column("gain", fmt::format("1/s/{}", study.neuron.current_unit())));
  if (study.plane) write_plane(staging, study);
  io::write_file(staging / "summary.json", summary_of(study).dump(2) + "\n");
  report::write_page(staging / "report.html", document_of(study, command));
  target.commit();
}

}  // namespace afterspike::single_neuron
