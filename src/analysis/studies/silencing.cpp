#include "afterspike/analysis/silencing.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "afterspike/analysis/neurons.hpp"
#include "afterspike/base/error.hpp"
#include "afterspike/experiment/evaluate.hpp"

namespace afterspike::analysis {
namespace {

/// Min number of shards in the evaluations given to the threads at a time; more would only make
/// saving rarer.
constexpr std::int64_t kShardsAtATime = 64;

std::int64_t hidden_of(const Subject& subject) {
  return static_cast<std::int64_t>(hidden_neurons(subject.network()).size());
}

/// Returns the neurons of which a measurement silences some.
std::vector<std::int64_t> candidates(const Protocol& protocol, const Measurement& measurement,
                                     std::int64_t hidden) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(hidden));
  std::iota(numbers.begin(), numbers.end(), std::int64_t{0});
  if (measurement.cluster < 0 || measurement.control) return numbers;
  const auto& clusters = protocol.selection.values[static_cast<std::size_t>(measurement.run)];
  std::erase_if(numbers, [&](std::int64_t number) {
    return clusters[static_cast<std::size_t>(number)] != static_cast<double>(measurement.cluster);
  });
  return numbers;
}

/// Returns the clusters of a run, or -1 without clusters.
std::vector<std::int64_t> groups_of(const Protocol& protocol, std::size_t run) {
  if (protocol.selection.kind != Selection::Kind::clusters) return {-1};
  std::set<std::int64_t> found;
  for (const double cluster : protocol.selection.values[run]) {
    found.insert(static_cast<std::int64_t>(cluster));
  }
  return {found.begin(), found.end()};
}

void check(const Protocol& protocol, const std::vector<Subject>& subjects) {
  const std::string_view name = level_name(protocol.perturbation);
  require(!protocol.levels.empty(), ErrorKind::usage, "{}: expected one level or more, found none",
          name);
  for (const double level : protocol.levels) require_level(protocol.perturbation, level);
  for (std::size_t i = 1; i < protocol.levels.size(); ++i) {
    require(protocol.levels[i - 1] < protocol.levels[i], ErrorKind::usage,
            "{}: found {} before {}, expected rising levels, each once", name,
            protocol.levels[i - 1], protocol.levels[i]);
  }
  require(protocol.trials >= 1, ErrorKind::usage, "trials: found {}, expected 1 or more",
          protocol.trials);
  if (protocol.selection.kind == Selection::Kind::random) return;
  require(protocol.selection.values.size() == subjects.size(), ErrorKind::internal,
          "values of neurons for {} runs, expected {}", protocol.selection.values.size(),
          subjects.size());
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    const auto found = static_cast<std::int64_t>(protocol.selection.values[i].size());
    require(found == hidden_of(subjects[i]), ErrorKind::data,
            "{}: found values of {} neurons, expected {}", subjects[i].name, found,
            hidden_of(subjects[i]));
  }
}

/// Returns the stream of a measurement. Levels enter by value, so other levels have no effect.
Rng stream_of(const Protocol& protocol, const Measurement& measurement) {
  const Rng root = Rng(protocol.seed).stream(perturbation_name(protocol.perturbation));
  const std::string cluster =
      fmt::format("{}{}", measurement.cluster, measurement.control ? " control" : "");
  return root.stream(cluster)
      .stream(fmt::format("{}", measurement.level))
      .stream("trial", static_cast<std::uint64_t>(measurement.trial));
}

std::vector<std::int64_t> silenced_by(const Protocol& protocol, const Measurement& measurement,
                                      std::int64_t hidden) {
  std::vector<std::int64_t> numbers = candidates(protocol, measurement, hidden);
  if (protocol.selection.kind == Selection::Kind::ranked) {
    const auto& values = protocol.selection.values[static_cast<std::size_t>(measurement.run)];
    std::stable_sort(numbers.begin(), numbers.end(), [&](std::int64_t a, std::int64_t b) {
      const double first = values[static_cast<std::size_t>(a)];
      const double second = values[static_cast<std::size_t>(b)];
      return protocol.selection.highest_first ? first > second : first < second;
    });
  } else {
    const std::vector<std::int64_t> order =
        stream_of(protocol, measurement).permutation(static_cast<std::int64_t>(numbers.size()));
    std::vector<std::int64_t> shuffled;
    for (const std::int64_t place : order) {
      shuffled.push_back(numbers[static_cast<std::size_t>(place)]);
    }
    numbers = std::move(shuffled);
  }
  numbers.resize(static_cast<std::size_t>(measurement.neurons));
  return numbers;
}

/// A damaged network, with the objects it needs kept alive.
struct Damaged {
  std::shared_ptr<nn::Network> network;
  experiment::Candidate candidate;
};

Damaged damage(const Protocol& protocol, const Subject& subject, const Measurement& measurement) {
  Damaged damaged;
  damaged.candidate.network = &subject.network();
  damaged.candidate.pass = subject.trained->pass;
  const double level = measurement.level;
  // Keeps an undamaged network unchanged, which gives the bits of evaluate().
  if (level == 0 || (protocol.perturbation == Perturbation::silence && measurement.neurons == 0)) {
    return damaged;
  }
  const Rng stream = stream_of(protocol, measurement);
  switch (protocol.perturbation) {
    case Perturbation::silence:
      damaged.candidate.pass.masks =
          masks_without(subject.network(), silenced_by(protocol, measurement, hidden_of(subject)));
      break;
    case Perturbation::weight_noise:
      damaged.network = with_weight_noise(*subject.trained, level, stream);
      damaged.candidate.network = damaged.network.get();
      break;
    case Perturbation::jitter:
      damaged.candidate.change = jittered(level, stream);
      break;
    case Perturbation::deletion:
      damaged.candidate.change = thinned(level, stream);
      break;
  }
  return damaged;
}

/// Measures plan[begin .. end), all of one run.
void measure_block(const Protocol& protocol, const Subject& subject, std::size_t begin,
                   std::size_t end, const std::vector<Measurement>& plan,
                   std::vector<Measurement>& measured, ThreadPool& pool) {
  std::vector<Damaged> damaged;
  std::vector<experiment::Candidate> all;
  const auto repeats = [&](const Measurement& measurement) {
    return measurement.trial > 0 && is_certain(protocol, measurement, hidden_of(subject));
  };
  for (std::size_t i = begin; i < end; ++i) {
    if (repeats(plan[i])) continue;
    damaged.push_back(damage(protocol, subject, plan[i]));
    all.push_back(damaged.back().candidate);
  }
  const auto tallies = experiment::evaluate_each(all, *subject.task, *subject.data, pool);
  auto next = tallies.begin();
  for (std::size_t i = begin; i < end; ++i) {
    Measurement result = plan[i];
    if (repeats(plan[i])) {
      result.loss = measured.back().loss;
      result.accuracy = measured.back().accuracy;
    } else {
      const auto samples = static_cast<double>(next->samples);
      result.loss = next->loss / samples;
      result.accuracy = static_cast<double>(next->correct) / samples;
      ++next;
    }
    require(std::isfinite(result.loss), ErrorKind::numeric,
            "{}: the loss at {} {}, trial {}, is {}", subject.name,
            level_name(protocol.perturbation), result.level, result.trial, result.loss);
    measured.push_back(result);
  }
}

}  // namespace

std::vector<Measurement> plan(const Protocol& protocol, const std::vector<Subject>& subjects) {
  check(protocol, subjects);
  const bool silences = protocol.perturbation == Perturbation::silence;
  const bool drawn = !silences || protocol.selection.kind != Selection::Kind::ranked;
  std::vector<Measurement> all;
  for (std::size_t run = 0; run < subjects.size(); ++run) {
    for (const std::int64_t cluster : groups_of(protocol, run)) {
      for (const bool control : {false, true}) {
        if (control && cluster < 0) continue;
        for (const double level : protocol.levels) {
          Measurement next{static_cast<std::int64_t>(run), cluster, control, level};
          Measurement uncontrolled = next;
          uncontrolled.control = false;
          const auto size = candidates(protocol, uncontrolled, hidden_of(subjects[run])).size();
          // Truncated like the authors' int(p * H).
          if (silences) next.neurons = static_cast<std::int64_t>(level * static_cast<double>(size));
          for (next.trial = 0; next.trial < (drawn ? protocol.trials : 1); ++next.trial) {
            all.push_back(next);
          }
        }
      }
    }
  }
  return all;
}

bool is_certain(const Protocol& protocol, const Measurement& measurement, std::int64_t hidden) {
  if (protocol.perturbation != Perturbation::silence) {
    return measurement.level == 0 ||
           (protocol.perturbation == Perturbation::deletion && measurement.level == 1);
  }
  if (measurement.neurons == 0 || protocol.selection.kind == Selection::Kind::ranked) return true;
  if (measurement.cluster >= 0 && !measurement.control) return measurement.level == 1;
  return measurement.neurons == hidden;
}

bool measure(const Protocol& protocol, const std::vector<Subject>& subjects,
             const std::vector<Measurement>& plan, std::vector<Measurement>& measured,
             ThreadPool& pool, const Progress& progress) {
  while (measured.size() < plan.size()) {
    if (!progress(measured)) return false;
    const std::size_t begin = measured.size();
    const Subject& subject = subjects[static_cast<std::size_t>(plan[begin].run)];
    const std::int64_t samples = subject.data->size();
    const std::int64_t shards = experiment::shard_count(samples, experiment::shard_rows(samples));
    const auto count = static_cast<std::size_t>(std::max<std::int64_t>(1, kShardsAtATime / shards));
    std::size_t end = begin;
    while (end < std::min(plan.size(), begin + count) && plan[end].run == plan[begin].run) ++end;
    measure_block(protocol, subject, begin, end, plan, measured, pool);
  }
  return progress(measured);
}

}  // namespace afterspike::analysis
