#include "afterspike/bench/bench.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "afterspike/base/blas.hpp"
#include "afterspike/base/registry.hpp"
#include "afterspike/io/json.hpp"
#include "afterspike/kernels/instructions.hpp"
#include "afterspike/nn/neuron_layer.hpp"
#include "command.hpp"
#include "environment.hpp"

namespace afterspike::cli {
namespace {

/// Limits; a larger value is a slip.
constexpr std::int64_t kMaxSize = 1 << 20, kMaxRepeats = 1'000'000;

Arguments bench_arguments() {
  Arguments arguments("bench", "Measures a training step on synthetic data.",
                      "[--neuron glifr] [--hidden 252 ...] [--path composed] [--json]");
  arguments.example("afterspike bench --neuron glifr --hidden 252 --path composed")
      .value("neuron", "NAME", "Neuron model.", "glifr")
      .value("hidden", "N", "Units of the layer; for elm memory units, with an MLP twice as wide.",
             "128")
      .value("batch", "N", "Sequences.", "128")
      .value("steps", "N", "Steps of a sequence.", "784")
      .value("input", "N", "Inputs per step.", "1")
      .value("classes", "N", "Outputs.", "10")
      .value("delay", "D",
             "Delay of recurrent synapses, such as 300steps or 15ms (default: 1 step).")
      .value("threads", "N", "Threads (default: one for each core).")
      .value("repeats", "N", "Timed steps.", "5")
      .value("warmup", "N", "Steps before the timed ones.", "1")
      .value(
          "path", "PATH",
          "fused: the whole-sequence kernel; composed: operations of LibTorch one by one; library: "
          "LibTorch's own layer (rnn, gru, lstm).",
          "fused")
      .value("kernel", "NAME", "Instructions of kernels: auto, avx512, avx2 or baseline.", "auto")
      .value("precision", "P", "Type of the recurrent products, float32 or bfloat16.", "float32")
      .value(
          "input-density", "P",
          "Inputs are 1 with this probability, else 0 (default: 0.012 for elm; for others inputs "
          "are normally distributed).")
      .flag("json", "Print one JSON object.");
  return arguments;
}

/// Returns one of some words. Throws Error(usage) that lists them.
std::string word(const Arguments& arguments, const std::string& flag,
                 std::initializer_list<std::string_view> words) {
  const std::string found = arguments.text(flag);
  require(std::find(words.begin(), words.end(), found) != words.end(), ErrorKind::usage,
          "--{}: found '{}', expected {}", flag, found, fmt::join(words, " or "));
  return found;
}

double number(const Arguments& arguments, const std::string& flag) {
  const std::string text = arguments.text(flag);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(error == std::errc() && end == text.data() + text.size(), ErrorKind::usage,
          "--{}: found '{}', expected a number", flag, text);
  return value;
}

bench::Settings settings_of(const Arguments& arguments) {
  bench::Settings settings;
  settings.neuron =
      find_entry<nn::NeuronEntry>(nn::entries(), arguments.text("neuron"), "neuron model").name;
  settings.hidden = arguments.integer("hidden", 1, kMaxSize);
  settings.batch = arguments.integer("batch", 1, kMaxSize);
  settings.steps = arguments.integer("steps", 1, kMaxSize);
  settings.input = arguments.integer("input", 1, kMaxSize);
  settings.classes = arguments.integer("classes", 2, kMaxSize);
  settings.repeats = static_cast<int>(arguments.integer("repeats", 1, kMaxRepeats));
  settings.warmup = static_cast<int>(arguments.integer("warmup", 0, kMaxRepeats));
  if (arguments.has("delay")) {
    settings.delay = units::Duration::parse(arguments.text("delay"), "--delay");
  }
  const std::string path = word(arguments, "path", {"fused", "composed", "library"});
  for (const auto& [name, own] : bench::kPaths) {
    if (name == path) settings.path = own;
  }
  const std::string precision =
      word(arguments, "precision", {"float32", "bfloat16", "fp32", "bf16"});
  for (const auto& [name, own] : kernels::kPrecisions) {
    if (name == precision) settings.precision = own;
  }
  if (arguments.has("input-density")) settings.input_density = number(arguments, "input-density");
  return settings;
}

/// Call before the first product is computed.
void use_kernel(const Arguments& arguments) {
  const std::string name = word(arguments, "kernel", {"auto", "avx512", "avx2", "baseline"});
  try {
    kernels::use_instructions(name == "auto" ? "best" : name);
  } catch (const Error& error) {
    throw error.within("--kernel");
  }
}

/// Returns the measured ways to divide the batch, the fastest first.
io::Json ways(const std::vector<bench::Measurement>& measured) {
  io::Json result = io::Json::array();
  for (const bench::Measurement& way : measured) {
    result.push_back({{"rows", way.rows},
                      {"library_threads", way.library_threads},
                      {"step_s_min", way.step_s_min},
                      {"memory_mib", way.peak_rss_mib - way.base_rss_mib}});
  }
  return result;
}

io::Json record(const bench::Settings& settings, const std::vector<bench::Measurement>& all) {
  const bench::Measurement& measured = all.front();
  return {{"neuron", settings.neuron},
          {"hidden", settings.hidden},
          {"batch", settings.batch},
          {"steps", settings.steps},
          {"input", settings.input},
          {"classes", settings.classes},
          {"input_density", settings.density() ? io::Json(*settings.density()) : io::Json()},
          {"delay", settings.delay ? io::Json(settings.delay->text()) : io::Json()},
          {"path", bench::name_of(settings.path)},
          {"kernel", kernels::instructions()},
          {"openblas", openblas_core()},
          {"precision", kernels::name_of(settings.precision)},
          {"threads", settings.threads},
          {"rows", measured.rows},
          {"library_threads", measured.library_threads},
          {"step_s_min", measured.step_s_min},
          {"step_s_median", measured.step_s_median},
          {"forward_s", measured.forward_s},
          {"backward_s", measured.backward_s},
          {"cpu_s_min", measured.cpu_s_min},
          {"base_rss_mib", measured.base_rss_mib},
          {"peak_rss_mib", measured.peak_rss_mib},
          {"parameters", measured.parameters},
          {"gemm_s", measured.gemm_s},
          {"ways", ways(all)}};
}

int run_bench(std::span<const std::string> words) {
  Arguments arguments = bench_arguments();
  if (!arguments.parse(words)) return 0;
  bench::Settings settings = settings_of(arguments);
  use_kernel(arguments);
  settings.threads = threads_alone(arguments);
  const io::Json result = record(settings, bench::measure(settings));
  if (arguments.has("json")) {
    fmt::print("{}\n", result.dump());
    return 0;
  }
  for (const auto& [name, value] : result.items()) {
    fmt::print("{:15} {}\n", name, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return 0;
}

}  // namespace

CommandEntry entry_bench() {
  return {"bench", "measure time and memory of a training step", run_bench};
}

}  // namespace afterspike::cli
