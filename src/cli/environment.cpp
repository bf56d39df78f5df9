#include "environment.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <thread>

#include <torch/cuda.h>
#include <torch/version.h>

#include "afterspike/base/blas.hpp"
#include "afterspike/base/error.hpp"
#include "afterspike/base/log.hpp"
#include "afterspike/datasets/datasets.hpp"
#include "afterspike/kernels/instructions.hpp"

namespace afterspike::cli {
namespace {

constexpr std::int64_t kMaxThreads = 1024;

volatile std::sig_atomic_t received = 0;

/// The second Ctrl-C or SIGTERM ends the program. The others come in series: a closed terminal
/// sends SIGHUP twice, and SIGXCPU comes every second beyond the limit.
extern "C" void remember(int signal) {
  received = signal;
  if (signal == SIGINT || signal == SIGTERM) std::signal(signal, SIG_DFL);
}

/// Returns N for "cuda:N", 0 for "cuda"; nullopt for another name.
std::optional<std::int64_t> cuda_index(std::string_view name) {
  if (name == "cuda") return 0;
  constexpr std::string_view kPrefix = "cuda:";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  std::int8_t index = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  const bool whole = error == std::errc() && end == name.data() + name.size();
  return whole && index >= 0 ? std::optional<std::int64_t>(index) : std::nullopt;
}

/// Returns the cores for one of several processes on this machine. Launchers that bind them have
/// divided the cores already.
int cores_of_one(int processes) {
  const auto cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  cpu_set_t allowed;
  if (processes == 1 || ::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return cores;
  const int bound = CPU_COUNT(&allowed);
  const auto online = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
  return bound < online ? bound : std::max(1, cores / processes);
}

}  // namespace

Arguments& add_data_directory(Arguments& arguments) {
  return arguments.group("Machine").value(
      "data-dir", "DIR",
      "Directory of data sets (default: $AFTERSPIKE_DATA_DIR, else "
      "datasets/data if it exists, else "
      "$XDG_DATA_HOME/afterspike or ~/.local/share/afterspike).");
}

std::filesystem::path data_directory(const Arguments& arguments) {
  if (arguments.has("data-dir")) return arguments.text("data-dir");
  return usual_data_directory();
}

std::filesystem::path usual_data_directory() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::filesystem::path(value == nullptr ? "" : value);
  };
  for (const char* name : {"AFTERSPIKE_DATA_DIR", "AFTERSPIKE_DATA"}) {
    if (!variable(name).empty()) return variable(name);
  }
  const std::filesystem::path here = datasets::kDefaultDirectory;
  std::error_code ignored;
  if (std::filesystem::is_directory(here, ignored)) return here;
  // By the XDG base directory specification, a path that is not absolute is ignored.
  if (variable("XDG_DATA_HOME").is_absolute()) return variable("XDG_DATA_HOME") / "afterspike";
  if (variable("HOME").is_absolute()) return variable("HOME") / ".local/share/afterspike";
  return here;
}

Arguments& add_threads(Arguments& arguments) {
  return arguments.group("Machine")
      .value("threads", "N",
             "Threads (default: one for each core). The result does not depend on it.")
      .value("instructions", "NAME",
             "Instruction set of the kernels: best, or a name of 'afterspike list kernels'. Needed "
             "only to reproduce a run bit for bit on another processor.",
             "best");
}

int threads(const Arguments& arguments, int processes) {
  kernels::use_instructions(arguments.text("instructions"));
  return threads_alone(arguments, processes);
}

int threads_alone(const Arguments& arguments, int processes) {
  if (arguments.has("threads")) {
    const auto wanted = static_cast<int>(arguments.integer("threads", 1, kMaxThreads));
    prepare_blas(wanted);
    return wanted;
  }
  const int cores = cores_of_one(processes);
  try {
    prepare_blas(cores);
  } catch (const Error&) {
    log::warning(
        "one thread only: the OpenBLAS library that is loaded is not safe for more "
        "(apt-get install libopenblas0-pthread)");
    return 1;
  }
  return cores;
}

Arguments& add_device(Arguments& arguments) {
  return arguments.group("Machine").value(
      "device", "NAME",
      "cpu or cuda[:N]. On cuda the fused kernels are not used, and results "
      "differ in rounding.",
      "cpu");
}

at::Device device(const Arguments& arguments) {
  const std::string name = arguments.text("device");
  if (name == "cpu") return at::kCPU;
  const std::optional<std::int64_t> index = cuda_index(name);
  require(index.has_value(), ErrorKind::config,
          "--device: found '{}', expected cpu, cuda or cuda:N", name);
  const auto count = static_cast<std::int64_t>(torch::cuda::device_count());
  require(count > 0, ErrorKind::config,
          "--device {}: LibTorch {} finds no CUDA device; expected cpu, or a build against a "
          "LibTorch with CUDA (Debian's has none; -DCMAKE_PREFIX_PATH=...) on a machine with one",
          name, TORCH_VERSION);
  require(*index < count, ErrorKind::config, "--device: found '{}', expected cuda:0 to cuda:{}",
          name, count - 1);
  return {at::kCUDA, static_cast<at::DeviceIndex>(*index)};
}

void catch_interruptions() {
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGXCPU}) std::signal(signal, remember);
  struct sigaction action = {};
  // nohup ignores SIGHUP, and the program with it.
  const bool ignored = ::sigaction(SIGHUP, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
  if (!ignored) std::signal(SIGHUP, remember);
  // A reader that closes standard error, as in "2>&1 | head", must not end a training.
  std::signal(SIGPIPE, SIG_IGN);
}

int interruption() noexcept {
  return received;
}

}  // namespace afterspike::cli
