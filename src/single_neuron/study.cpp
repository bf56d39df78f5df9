#include "afterspike/single_neuron/study.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"

namespace afterspike::single_neuron {
namespace {

constexpr std::int64_t kRandomTrials = 20;
constexpr double kHighestRung = 1e6;  ///< Highest rung of find_rheobase().
constexpr double kShortest_ms = 10, kLongest_ms = 1e5;
constexpr std::int64_t kMostTrials = 10000;
constexpr std::size_t kMostFiCurrents = 1000, kMostFrequencies = 200;
constexpr double kSlowest_hz = 0.1;

/// Frequencies from 1 to 500 Hz, equidistant in the logarithm, that the step of the grid resolves.
std::vector<double> usual_frequencies(const Neuron& neuron, std::size_t count, double highest_hz) {
  const double most = std::min(highest_hz, 100 / neuron.dt_ms);
  std::vector<double> result;
  for (std::size_t at = 0; at < count; ++at) {
    result.push_back(std::pow(most, static_cast<double>(at) / static_cast<double>(count - 1)));
  }
  return result;
}

void check(const Neuron& neuron, const StudyOptions& options) {
  require(options.duration_ms >= std::max(kShortest_ms, 10 * neuron.dt_ms) &&
              options.duration_ms <= kLongest_ms,
          ErrorKind::config, "duration: found {} ms. Give {} ms to {} ms", options.duration_ms,
          std::max(kShortest_ms, 10 * neuron.dt_ms), kLongest_ms);
  require(options.trials >= 0 && options.trials <= kMostTrials, ErrorKind::config,
          "trials: found {}. Give 1 to {}", options.trials, kMostTrials);
  require(options.currents.size() <= kMostFiCurrents, ErrorKind::config,
          "currents: found {}. Give at most {}", options.currents.size(), kMostFiCurrents);
  require(options.frequencies_hz.size() <= kMostFrequencies, ErrorKind::config,
          "frequencies: found {}. Give at most {}", options.frequencies_hz.size(),
          kMostFrequencies);
  const double fastest = 250 / neuron.dt_ms;
  for (const double frequency : options.frequencies_hz) {
    require(frequency >= kSlowest_hz && frequency <= fastest, ErrorKind::config,
            "frequencies: found {} Hz. Give {} to {} Hz; the step of the grid is {} ms", frequency,
            kSlowest_hz, fastest, neuron.dt_ms);
  }
}

std::string current_text(const Neuron& neuron, double current) {
  return neuron.current_unit() == "1" ? fmt::format("{:.4g}", current)
                                      : fmt::format("{:.4g} {}", current, neuron.current_unit());
}

/// The given current; else one third of the way from the least current with lasting spikes to the
/// end of the f-I curve.
double step_current(const Neuron& neuron, const StudyOptions& options, const Study& study) {
  if (options.current) return *options.current;
  const auto& currents = study.fi.currents;
  require(study.rheobase.current || study.rheobase.is_active, ErrorKind::usage,
          "neuron: no current up to {} makes '{}' spike in {} ms. Give --current, or other"
          " parameters",
          current_text(neuron, kHighestRung), neuron.population.model, options.duration_ms);
  double from = study.rheobase.current.value_or(0);
  for (std::size_t at = 0; at < currents.size(); ++at) {
    if (study.fi.rates[at].steady_per_s > 0) {
      from = currents[at];
      break;
    }
  }
  double top = currents.empty() ? from : *std::max_element(currents.begin(), currents.end());
  if (top <= from) top = from + 2 * std::max(std::abs(from), 1e-3);
  const double chosen = from + (top - from) / 3;
  if (chosen == 0) return 0;
  const double power = std::pow(10, std::floor(std::log10(std::abs(chosen))) - 1);
  return std::round(chosen / power) * power;
}

/// The extent of currents that matter to the neuron.
double scale_of(const Study& study) {
  const auto& currents = study.fi.currents;
  if (study.rheobase.current && !currents.empty()) {
    return std::max(currents.back() - *study.rheobase.current, std::abs(*study.rheobase.current));
  }
  if (study.rheobase.current) return std::max(std::abs(*study.rheobase.current), 1e-3);
  return std::max(std::abs(study.step.current), 1e-3);
}

void measure_impedance(const StudyOptions& options, Study& study) {
  constexpr double kSmall = 0.005, kBelow = 0.1;
  const double scale = scale_of(study);
  const double rheobase = study.rheobase.current.value_or(scale);
  const double offset = rheobase > kBelow * scale ? 0 : rheobase - kBelow * scale;
  const auto frequencies = options.frequencies_hz.empty() ? usual_frequencies(study.neuron, 24, 500)
                                                          : options.frequencies_hz;
  study.impedance = impedance(study.neuron, offset, kSmall * scale, frequencies, study.protocol);
  if (!study.impedance.omitted.empty()) {
    study.notes.push_back(fmt::format("Impedance: {}.", study.impedance.omitted));
  }
}

void measure_modulation(const StudyOptions& options, Study& study) {
  constexpr double kPart = 0.2, kMostPerStep = 300;  // Spikes in 1000 steps.
  const double above = study.step.current - study.rheobase.current.value_or(0);
  if (!(study.step.rates.steady_per_s > 0) || above == 0) {
    study.modulation.omitted = "no sustained firing at the current of the step";
  } else if (study.step.rates.steady_per_s * study.neuron.dt_ms > kMostPerStep) {
    study.modulation.omitted = "the neuron fires in nearly every step of the grid";
  } else {
    const auto frequencies = options.frequencies_hz.empty()
                                 ? usual_frequencies(study.neuron, 10, 200)
                                 : options.frequencies_hz;
    const double size = std::abs(above);
    study.modulation =
        rate_modulation(study.neuron, study.step.current, kPart * size,
                        study.neuron.is_random ? 0 : kPart * size, frequencies, study.protocol);
  }
  if (!study.modulation.omitted.empty()) {
    study.notes.push_back(fmt::format("Firing-rate modulation: {}.", study.modulation.omitted));
  }
}

void measure_fi(const StudyOptions& options, Study& study) {
  const auto currents = options.currents.empty()
                            ? choose_currents(study.neuron, study.rheobase, study.protocol)
                            : options.currents;
  study.fi = fi_curve(study.neuron, currents, study.rheobase.is_active, study.protocol);
  const auto failed = std::count(study.fi.failed.begin(), study.fi.failed.end(), true);
  if (failed > 0) {
    study.notes.push_back(fmt::format("f-I curve: {} of {} currents cannot be simulated: {}.",
                                      failed, currents.size(), study.fi.failure));
  }
}

}  // namespace

Study study(const Neuron& neuron, const StudyOptions& options) {
  check(neuron, options);
  const std::int64_t usual = neuron.is_random ? kRandomTrials : 1;
  Study result;
  result.neuron = neuron;
  result.protocol = {options.duration_ms, options.trials > 0 ? options.trials : usual, options.seed,
                     options.threads};
  result.rheobase = find_rheobase(neuron, result.protocol);
  if (!result.rheobase.current) {
    result.notes.push_back(
        result.rheobase.is_active
            ? "Rheobase: the neuron spikes without a current, and none was found that silences it."
            : fmt::format("Rheobase: no current up to {} makes the neuron spike.",
                          current_text(neuron, kHighestRung)));
  }
  measure_fi(options, result);
  result.step = step_response(neuron, step_current(neuron, options, result), result.protocol);
  result.adaptation = measure_adaptation(result.step);
  measure_impedance(options, result);
  measure_modulation(options, result);
  result.plane = phase_plane(neuron, result.step, result.fi.currents);
  return result;
}

}  // namespace afterspike::single_neuron
