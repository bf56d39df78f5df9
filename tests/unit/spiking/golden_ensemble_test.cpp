// Random neurons against the peri-stimulus histograms of 2000 of NEST's.

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "golden_cases.hpp"

namespace afterspike::spiking {
namespace {

using testing::default_population;
using testing::golden_network;
using testing::golden_parameters;
using testing::golden_spiking;
using testing::set_golden;

constexpr std::int64_t kGolden = 2000;    ///< NEST's neurons.
constexpr std::int64_t kNeurons = 10000;  ///< Ours: more, to tell hazards apart.

/// The probability that chi-square of so many degrees is greater (Wilson and Hilferty 1931).
double survival(double chi_square, double degrees) {
  const double variance = 2 / (9 * degrees);
  const double z = (std::cbrt(chi_square / degrees) - (1 - variance)) / std::sqrt(variance);
  return 0.5 * std::erfc(z / std::sqrt(2.0));
}

constexpr std::size_t kBin = 50;  // ms

/// Spikes in bins of kBin ms: sums over all neurons, and the variance over neurons.
struct Histogram {
  std::vector<double> sums, variances;
};

/// With a hazard that is `factor` of the golden one.
Histogram histogram(const io::Hdf5File& file, const std::string& group, const std::string& name,
                    double factor) {
  auto p = golden_parameters(file, group);
  for (const char* final_state : {"V_m", "I_stc", "E_sfa"}) p.erase(final_state);
  for (const char* hazard : {"lambda_0", "c_2"}) {
    if (p.contains(hazard)) p[hazard] = factor * p.at(hazard).get<double>();
  }
  Population neurons = default_population("neurons", name, kNeurons);
  set_golden(neurons, p);
  Options options{11};
  options.dt_ms = 0.1;
  Simulation simulation(golden_network(file, group, std::move(neurons), 1.0), options);
  const std::size_t bins = file.read<double>(group + "/psth_1ms").values.size() / kBin;
  simulation.run_until(static_cast<double>(bins * kBin) - 0.1);
  std::vector<std::vector<double>> counts(bins, std::vector<double>(kNeurons));
  for (const Spike& spike : simulation.spikes()) {
    const auto bin = static_cast<std::size_t>((spike.time_ms + 1e-6) / kBin);
    counts.at(bin)[static_cast<std::size_t>(spike.neuron)] += 1;
  }
  Histogram result;
  for (const auto& bin : counts) {
    const double sum = std::accumulate(bin.begin(), bin.end(), 0.0), mean = sum / kNeurons;
    double squares = 0;
    for (const double count : bin) squares += (count - mean) * (count - mean);
    result.sums.push_back(sum);
    result.variances.push_back(squares / (kNeurons - 1));
  }
  return result;
}

/// Chi-square of two histograms. A neuron's spikes are not independent of each
/// other: variances are measured.
double p_value(const Histogram& found, const std::vector<double>& psth) {
  double chi_square = 0, degrees = 0;
  for (std::size_t bin = 0; bin < found.sums.size(); ++bin) {
    const auto begin = psth.begin() + static_cast<std::ptrdiff_t>(bin * kBin);
    const double expected = std::accumulate(begin, begin + kBin, 0.0);
    if (found.sums[bin] + expected < 40) continue;
    const double difference = found.sums[bin] / kNeurons - expected / kGolden;
    const double variance = found.variances[bin] * (1.0 / kNeurons + 1.0 / kGolden);
    chi_square += difference * difference / variance;
    degrees += 1;
  }
  std::printf("chi-square %g of %g\n", chi_square, degrees);
  return survival(chi_square, degrees);
}

void expect_hazard(const std::string& group, const std::string& name) {
  AFTERSPIKE_NEED_GOLDEN("golden_neurons.h5");
  const io::Hdf5File file(golden_spiking("golden_neurons.h5"));
  const auto expected = file.read<double>(group + "/psth_1ms").values;
  EXPECT_GT(p_value(histogram(file, group, name, 1), expected), 1e-3);
  EXPECT_LT(p_value(histogram(file, group, name, 1.05), expected), 1e-3);
  EXPECT_LT(p_value(histogram(file, group, name, 0.95), expected), 1e-3);
}

TEST(GoldenEnsemble, GifPscExpSpikesAsOftenAsNest) {
  expect_hazard("/gif_psc_exp_ensemble", "gif_psc_exp");
}

TEST(GoldenEnsemble, PpPscDeltaSpikesAsOftenAsNest) {
  expect_hazard("/pp_psc_delta_ensemble", "pp_psc_delta");
}

}  // namespace
}  // namespace afterspike::spiking
