#include "afterspike/bench/bench.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <vector>

#include <ATen/Parallel.h>

#include "afterspike/base/blas.hpp"
#include "afterspike/base/error.hpp"
#include "afterspike/experiment/evaluate.hpp"
#include "check.hpp"
#include "child.hpp"
#include "floor.hpp"
#include "subject.hpp"

namespace afterspike::bench {
namespace {

/// Division of a batch.
struct Way {
  std::int64_t rows;    ///< Rows of a shard.
  int threads;          ///< Threads that take shards.
  int library_threads;  ///< Threads within operations of LibTorch.
};

double wall_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Returns the CPU time of all threads.
double cpu_s() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Sets the threads within later LibTorch operations of this thread.
void use_library_threads(int threads) {
  at::set_num_threads(threads);
  set_blas_threads(threads);
}

/// Returns a line of /proc/self/status, such as "VmRSS:", in MiB.
double status_mib(std::string_view name) {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    double kib = 0;
    if (word == name && file >> kib) return kib / 1024;
  }
  fail(ErrorKind::internal, "bench: the system does not tell {}", name);
}

/// Resets VmHWM, the peak of resident memory.
void reset_peak() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

/// Returns the median of ordered values.
double median(const std::vector<double>& values) {
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// A step and, after it, its products alone, so that a busy machine slows both alike.
struct Turn {
  double step_s, cpu_s, forward_s, backward_s, floor_s;
};

/// Runs steps and products in turn.
class Bench {
 public:
  Bench(const Settings& settings, const Way& way, const StepProducts& products)
      : way_(way),
        subject_(settings, way.rows),
        floor_(products, settings.threads),
        pool_(way.threads),
        floor_pool_(settings.threads) {}

  /// Makes the libraries allocate their buffers once, on every thread.
  void touch() {
    constexpr std::int64_t kSteps = 2, kRows = 2;
    use_library_threads(1);
    pool_.run(pool_.threads(), [&](std::int64_t index) {
      subject_.run_part(index % subject_.shards(), kSteps, kRows);
    });
    floor_.run(floor_pool_);
  }

  Turn turn() {
    use_library_threads(way_.library_threads);
    const double start = wall_s(), cpu_start = cpu_s();
    const train::Shard step = subject_.step(pool_);
    const double step_s = wall_s() - start, step_cpu_s = cpu_s() - cpu_start;
    use_library_threads(1);
    const double floor_start = wall_s();
    floor_.run(floor_pool_);
    const auto working =
        static_cast<double>(std::min<std::int64_t>(way_.threads, subject_.shards()));
    return {step_s, step_cpu_s, step.forward_s / working, step.backward_s / working,
            wall_s() - floor_start};
  }

  std::int64_t parameters() const { return subject_.network().trainable_parameters(); }

 private:
  Way way_;
  Subject subject_;
  Floor floor_;
  ThreadPool pool_, floor_pool_;
};

/// Returns the times of a measurement.
Measurement summary(const std::vector<Turn>& turns) {
  const auto sorted = [&](double Turn::*member) {
    std::vector<double> values;
    for (const Turn& turn : turns) values.push_back(turn.*member);
    std::sort(values.begin(), values.end());
    return values;
  };
  const Turn& quickest = *std::min_element(
      turns.begin(), turns.end(), [](const Turn& a, const Turn& b) { return a.step_s < b.step_s; });
  Measurement result;
  result.step_s_min = quickest.step_s;
  result.step_s_median = median(sorted(&Turn::step_s));
  result.forward_s = quickest.forward_s;
  result.backward_s = quickest.backward_s;
  result.cpu_s_min = sorted(&Turn::cpu_s).front();
  result.gemm_s = sorted(&Turn::floor_s).front();
  return result;
}

Measurement time_steps(const Settings& settings, const Way& way, const StepProducts& products) {
  Bench bench(settings, way, products);
  bench.touch();
  std::vector<Turn> turns;
  const double base_mib = status_mib("VmRSS:");
  reset_peak();
  for (int i = 0; i < settings.warmup; ++i) bench.turn();
  for (int i = 0; i < settings.repeats; ++i) turns.push_back(bench.turn());
  Measurement result = summary(turns);
  result.base_rss_mib = base_mib;
  result.peak_rss_mib = status_mib("VmHWM:");
  result.parameters = bench.parameters();
  result.rows = std::min(way.rows, settings.batch);
  result.library_threads = way.library_threads;
  return result;
}

/// Returns the useful ways to divide the batch.
std::vector<Way> ways(const Settings& settings, bool kernel) {
  const std::int64_t batch = settings.batch;
  std::vector<Way> all = {{experiment::shard_rows(batch), settings.threads, 1}};
  if (kernel) return all;
  const auto add = [&](const Way& way) {
    const bool there = std::any_of(all.begin(), all.end(), [&](const Way& other) {
      return other.rows == way.rows && other.library_threads == way.library_threads;
    });
    if (!there) all.push_back(way);
  };
  add({(batch + settings.threads - 1) / settings.threads, settings.threads, 1});
  add({batch, 1, settings.threads});
  return all;
}

void validate(const Settings& settings) {
  const auto positive = [](std::string_view flag, std::int64_t value, std::int64_t low) {
    require(value >= low, ErrorKind::config, "--{}: found {}, expected {} or more", flag, value,
            low);
  };
  positive("hidden", settings.hidden, 1);
  positive("batch", settings.batch, 1);
  positive("steps", settings.steps, 1);
  positive("input", settings.input, 1);
  positive("classes", settings.classes, 2);
  positive("threads", settings.threads, 1);
  positive("repeats", settings.repeats, 1);
  positive("warmup", settings.warmup, 0);
  require(!settings.input_density || (*settings.input_density > 0 && *settings.input_density <= 1),
          ErrorKind::config, "--input-density: found {}, expected more than 0 and at most 1",
          settings.input_density.value_or(0));
}

}  // namespace

std::string_view name_of(Path path) {
  return std::find_if(std::begin(kPaths), std::end(kPaths),
                      [&](const auto& named) { return named.second == path; })
      ->first;
}

std::vector<Measurement> measure(const Settings& settings) {
  validate(settings);
  const auto kernel = in_child<char>([&] {
    check_answer(settings);
    return std::vector<char>{has_kernel(settings) ? '1' : '0'};
  });
  require(kernel.has_value(), ErrorKind::config, "bench: there is not enough memory to begin");
  const StepProducts products = step_products(settings);
  std::vector<Measurement> found;
  for (const Way& way : ways(settings, kernel->front() == '1')) {
    const auto measured = in_child<Measurement>(
        [&] { return std::vector<Measurement>{time_steps(settings, way, products)}; });
    // Another way may need less memory.
    if (measured) found.push_back(measured->front());
  }
  require(!found.empty(), ErrorKind::config,
          "bench: there is not enough memory for this shape; expected a smaller --batch, --steps "
          "or --hidden");
  std::sort(found.begin(), found.end(),
            [](const Measurement& a, const Measurement& b) { return a.step_s_min < b.step_s_min; });
  return found;
}

}  // namespace afterspike::bench
