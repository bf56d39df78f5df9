#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/single_neuron/study_files.hpp"
#include "charts.hpp"

namespace afterspike::single_neuron {
namespace {

using report::Axis;
using report::Chart;
using report::Section;
using report::Series;
using report::Table;

/// The least and the greatest value in each of many pieces of a trace: what a screen can show.
Series thinned(const std::string& name, const std::vector<double>& times,
               const std::vector<double>& values, int color) {
  constexpr std::size_t kPieces = 3000;
  Series series = series_of(name, {}, {}, color);
  const std::size_t length = std::max<std::size_t>(1, times.size() / kPieces);
  for (std::size_t begin = 0; begin < times.size(); begin += length) {
    const auto from = values.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto to =
        values.begin() + static_cast<std::ptrdiff_t>(std::min(begin + length, times.size()));
    const auto [least, most] = std::minmax_element(from, to);
    for (const auto place : {std::min(least, most), std::max(least, most)}) {
      series.x.push_back(times[static_cast<std::size_t>(place - values.begin())]);
      series.y.push_back(*place);
      if (least == most) break;
    }
  }
  return series;
}

bool varies(const Trace& trace) {
  const auto [least, most] = std::minmax_element(trace.values.begin(), trace.values.end());
  return *least < *most;
}

/// Charts of the variables, one for each unit; the first has the spikes and the step.
std::vector<Chart> trace_charts(const Study& study) {
  const Recorded& recorded = study.step.recorded;
  std::vector<Chart> charts;
  for (const Trace& trace : recorded.traces) {
    if (!charts.empty() && !varies(trace)) continue;
    const auto found = std::find_if(charts.begin(), charts.end(), [&](const Chart& chart) {
      return chart.y.unit == shown(trace.unit) && trace.unit != "1";
    });
    if (found != charts.end()) {
      found->series.push_back(thinned(trace.name, recorded.times_ms, trace.values,
                                      static_cast<int>(found->series.size())));
      continue;
    }
    Chart chart;
    chart.id = fmt::format("trace-{}", charts.size());
    chart.title = charts.empty() ? "Response to a step" : fmt::format("Variable {}", trace.name);
    chart.x = axis_between("time", "ms", 0, recorded.times_ms.back());
    chart.y = {trace.name, shown(trace.unit)};
    chart.series = {thinned(trace.name, recorded.times_ms, trace.values, kBlue)};
    chart.wide = true;
    charts.push_back(std::move(chart));
  }
  return charts;
}

/// Adds spikes above the trace and the step below it.
void mark_events(const Study& study, Chart& chart) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Series& series : chart.series) {
    const auto [least, most] = std::minmax_element(series.y.begin(), series.y.end());
    low = std::min(low, *least);
    high = std::max(high, *most);
  }
  const double margin = 0.08 * std::max(high - low, 1e-9);
  const auto& spikes = study.step.recorded.spikes_ms.front();
  if (!spikes.empty()) {
    chart.series.push_back(series_of("spikes", spikes,
                                     std::vector<double>(spikes.size(), high + margin), kDarkToo,
                                     Series::Draw::points));
  }
  chart.series.push_back(series_of(
      fmt::format("step of {}", with_unit(study.step.current, study.neuron.current_unit())),
      {study.step.onset_ms, study.step.stop_ms}, {low - margin, low - margin}, Series::kGrey));
}

/// Spikes of all trials, and their rate in time.
void add_trials(const Study& study, Section& section) {
  const auto& trials = study.step.recorded.spikes_ms;
  if (trials.size() < 2) return;
  constexpr std::size_t kBins = 60;
  Series raster = series_of("spikes", {}, {}, kBlue, Series::Draw::points);
  Series rate = series_of("rate", {}, std::vector<double>(kBins), kGreen, Series::Draw::steps);
  const double end = study.step.recorded.times_ms.back(), width = end / kBins;
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    rate.x.push_back(width * (static_cast<double>(bin) + 0.5));
  }
  for (std::size_t trial = 0; trial < trials.size(); ++trial) {
    for (const double time : trials[trial]) {
      raster.x.push_back(time);
      raster.y.push_back(static_cast<double>(trial + 1));
      const auto bin = std::min(kBins - 1, static_cast<std::size_t>(time / width));
      rate.y[bin] += 1000 / width / static_cast<double>(trials.size());
    }
  }
  Chart spikes{
      "raster", "Spikes of all trials", "Trials differ by chance alone.", {"time", "ms"}, {"trial"},
      {raster}};
  spikes.x = axis_between("time", "ms", 0, end);
  spikes.y.whole = true;
  section.blocks.emplace_back(std::move(spikes));
  section.blocks.emplace_back(Chart{"rate",
                                    "Rate over the trials",
                                    fmt::format("Spikes in bins of {:.4g} ms.", width),
                                    axis_between("time", "ms", 0, end),
                                    {"rate", "1/s"},
                                    {rate}});
}

Table measures_of(const Study& study) {
  const Rates& rates = study.step.rates;
  const std::string_view unit = study.neuron.current_unit();
  Table table{"measures", "Measures", "", {"measure", "value", "unit"}, {}, {}, false};
  const auto add = [&](const char* name, double value, std::string_view of) {
    if (std::isfinite(value)) table.rows.push_back({std::string(name), value, shown(of)});
  };
  if (study.rheobase.current) add("rheobase", *study.rheobase.current, unit);
  add("current of the step", study.step.current, unit);
  add("spikes during the step", rates.spikes, "1");
  add("latency of the first spike", rates.latency_ms, "ms");
  add("initial rate", rates.initial_per_s, "1/s");
  add("rate in the second half of the step", rates.steady_per_s, "1/s");
  add("adaptation index", study.adaptation.index, "1");
  add("last rate by initial rate", study.adaptation.ratio, "1");
  return table;
}

Section step_section(const Study& study) {
  Section section{"step", "Step response", {}, {}};
  const double onset = study.step.onset_ms, stop = study.step.stop_ms;
  std::vector<Chart> charts = trace_charts(study);
  mark_events(study, charts.front());
  charts.front().caption =
      fmt::format("{} injected from {:.5g} to {:.5g} ms{}",
                  with_unit(study.step.current, study.neuron.current_unit()), onset, stop,
                  study.neuron.is_random ? "; the first of several trials." : ".");
  for (Chart& chart : charts) section.blocks.emplace_back(std::move(chart));
  add_trials(study, section);
  section.blocks.emplace_back(measures_of(study));
  for (const std::string& note : study.notes) section.blocks.emplace_back(report::Note{note});
  return section;
}

Section fi_section(const Study& study) {
  const Axis current = {"current", shown(study.neuron.current_unit())};
  Series initial = series_of("initial rate", {}, {}, kOrange);
  Series steady = series_of("steady rate", {}, {}, kBlue);
  Series latency = series_of("latency", {}, {}, kGreen);
  for (std::size_t at = 0; at < study.fi.currents.size(); ++at) {
    const Rates& rates = study.fi.rates[at];
    initial.y.push_back(rates.initial_per_s);
    steady.y.push_back(rates.steady_per_s);
    steady.low.push_back(rates.steady_per_s - rates.steady_error_per_s);
    steady.high.push_back(rates.steady_per_s + rates.steady_error_per_s);
    latency.y.push_back(rates.latency_ms);
  }
  initial.x = steady.x = latency.x = study.fi.currents;
  if (study.protocol.trials < 2) {
    steady.low.clear();
    steady.high.clear();
  }
  Section section{"fi", "f-I curve", {}, {}};
  if (study.rheobase.current) {
    section.text.push_back(fmt::format(
        "The rheobase is {}: the smallest constant current with a spike within {:.4g} ms{}.",
        with_unit(*study.rheobase.current, study.neuron.current_unit()), study.protocol.duration_ms,
        study.neuron.is_random ? " in half of the trials" : ""));
  }
  section.blocks.emplace_back(
      Chart{"fi",
            "Firing rate against current",
            study.protocol.trials > 1
                ? "Steady: second half of the step, mean over trials with its standard error."
                : "Initial: from the first interval. Steady: second half of the step.",
            current,
            {"rate", "1/s"},
            {steady, initial}});
  section.blocks.emplace_back(Chart{"latency",
                                    "Latency of the first spike",
                                    "From the onset of the step.",
                                    current,
                                    {"latency", "ms"},
                                    {latency}});
  return section;
}

Section adaptation_section(const Study& study) {
  const Adaptation& adaptation = study.adaptation;
  Series rate = series_of("instantaneous rate", {}, adaptation.rates_per_s, kBlue);
  for (std::size_t at = 0; at < adaptation.rates_per_s.size(); ++at) {
    rate.x.push_back(static_cast<double>(at + 1));
    if (study.protocol.trials < 2) continue;
    rate.low.push_back(adaptation.rates_per_s[at] - adaptation.errors_per_s[at]);
    rate.high.push_back(adaptation.rates_per_s[at] + adaptation.errors_per_s[at]);
  }
  Section section{"adaptation", "Spike-frequency adaptation", {}, {}};
  section.text.push_back(
      "The adaptation index is the mean of (next - interval) / (next + interval) over consecutive "
      "intervals between spikes: 0 for regular firing, above 0 for a neuron that slows down.");
  section.blocks.emplace_back(Chart{"adaptation",
                                    "Rate over the number of the interval",
                                    "1 / interval between spikes during the step.",
                                    {"interval", "", false, false, true},
                                    {"rate", "1/s"},
                                    {rate}});
  return section;
}

/// Phases without jumps by a turn.
std::vector<double> unwrapped(const std::vector<Gain>& gains) {
  std::vector<double> phases;
  for (const Gain& each : gains) {
    double phase = each.phase_deg;
    if (!phases.empty()) phase += 360 * std::round((phases.back() - phase) / 360);
    phases.push_back(phase);
  }
  return phases;
}

/// Charts of gain and phase. `factor` changes the unit of the gain.
void add_transfer(const Transfer& transfer, const std::string& id, const std::string& name,
                  const Axis& gain_axis, double factor, const std::string& caption,
                  Section& section) {
  if (transfer.gains.empty()) return;
  Series gain = series_of("gain", {}, {}, kBlue);
  Series phase = series_of("phase", {}, unwrapped(transfer.gains), kGreen);
  for (const Gain& each : transfer.gains) {
    gain.x.push_back(each.frequency_hz);
    gain.y.push_back(factor * each.gain);
    if (each.error <= 0) continue;
    gain.low.push_back(factor * std::max(0.0, each.gain - each.error));
    gain.high.push_back(factor * (each.gain + each.error));
  }
  if (gain.low.size() != gain.x.size()) {
    gain.low.clear();
    gain.high.clear();
  }
  phase.x = gain.x;
  const Axis frequency = {"frequency", "Hz", true};
  section.blocks.emplace_back(
      Chart{id + "-gain", name + ": gain", caption, frequency, gain_axis, {gain}});
  section.blocks.emplace_back(Chart{id + "-phase",
                                    name + ": phase",
                                    "Positive where the response leads the current.",
                                    frequency,
                                    {"phase", "degrees"},
                                    {phase}});
}

Section sinusoid_section(const Study& study) {
  const std::string_view unit = study.neuron.current_unit();
  const auto& variable = study.neuron.model().variables.front();
  Section section{"sinusoid", "Response to a sinusoid", {}, {}};
  section.text.emplace_back(
      "Impedance: amplitude and phase of the first variable below threshold. Firing-rate "
      "modulation: amplitude and phase of the rate of spikes around the current of the step.");
  const bool resistance = variable.unit == "mV" && unit == "pA";
  const std::string ratio = unit == "1"            ? shown(variable.unit)
                            : variable.unit == "1" ? fmt::format("1 per {}", unit)
                                                   : fmt::format("{} per {}", variable.unit, unit);
  add_transfer(study.impedance, "impedance", "Subthreshold impedance",
               {"gain", resistance ? "MOhm" : ratio}, resistance ? 1000 : 1,
               fmt::format("Sinusoid of {} around {}.", with_unit(study.impedance.amplitude, unit),
                           with_unit(study.impedance.offset, unit)),
               section);
  const std::string noise =
      study.modulation.noise > 0
          ? fmt::format(" Each trial has noise of {} (standard deviation, correlation time 5 ms).",
                        with_unit(study.modulation.noise, unit))
          : "";
  add_transfer(study.modulation, "modulation", "Firing-rate modulation",
               {"gain", unit == "1" ? "1/s" : fmt::format("1/s per {}", unit)}, 1,
               fmt::format("Sinusoid of {} around {}; mean rate {:.4g}/s.{}",
                           with_unit(study.modulation.amplitude, unit),
                           with_unit(study.modulation.offset, unit), study.modulation.mean, noise),
               section);
  return section;
}

Section model_section(const Study& study, const std::string& command) {
  const Neuron& neuron = study.neuron;
  const auto& entry = find_entry(spiking::models(), neuron.population.model, "model");
  Section section{"model", "Model", {std::string(entry.summary) + "."}, {}};
  if (!entry.equations.empty()) {
    section.blocks.emplace_back(report::Code{"Equations", std::string(entry.equations)});
  }
  Table table{"parameters",
              "Parameters",
              "Marked: other than the default of the model.",
              {"symbol", "parameter", "value", "unit"},
              {},
              {},
              false};
  for (const spiking::Parameter& each : entry.model.parameters) {
    const auto values = neuron.population.column(each.name);
    table.rows.push_back({std::string(each.symbol), std::string(each.name),
                          fmt::format("{}", fmt::join(values, ", ")), shown(each.unit)});
    table.differs.push_back(
        !std::equal(values.begin(), values.end(), each.initial.begin(), each.initial.end()));
  }
  section.blocks.emplace_back(std::move(table));
  section.blocks.emplace_back(report::Code{"Command", command});
  if (!entry.source.empty()) section.text.push_back(fmt::format("Source: {}.", entry.source));
  return section;
}

}  // namespace

report::Document document_of(const Study& study, const std::string& command) {
  const Neuron& neuron = study.neuron;
  report::Document document;
  document.title = neuron.preset.empty()
                       ? neuron.population.model
                       : fmt::format("{}, {}", neuron.population.model, neuron.preset);
  document.subtitle = fmt::format(
      "One neuron under injected currents; grid of {} ms{}", neuron.dt_ms,
      study.protocol.trials > 1 ? fmt::format(", {} trials", study.protocol.trials) : "");
  document.sections = {step_section(study)};
  if (!study.fi.currents.empty()) document.sections.push_back(fi_section(study));
  if (!study.adaptation.rates_per_s.empty()) {
    document.sections.push_back(adaptation_section(study));
  }
  if (!study.impedance.gains.empty() || !study.modulation.gains.empty()) {
    document.sections.push_back(sinusoid_section(study));
  }
  if (study.plane) document.sections.push_back(plane_section(study));
  document.sections.push_back(model_section(study, command));
  return document;
}

}  // namespace afterspike::single_neuron
