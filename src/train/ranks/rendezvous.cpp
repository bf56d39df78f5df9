#include "afterspike/train/rendezvous.hpp"

#include <charconv>
#include <limits>
#include <string_view>
#include <vector>

#include "afterspike/base/error.hpp"

namespace afterspike::train {
namespace {

constexpr int kHighestPort = 65'535;

/// A launcher's variables for rank and number of processes.
struct Launcher {
  const char* rank;
  const char* size;
};

constexpr Launcher kTorchrun{"RANK", "WORLD_SIZE"};
constexpr Launcher kOpenMpi{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"};
constexpr Launcher kSlurm{"SLURM_PROCID", "SLURM_NTASKS"};
constexpr Launcher kSlurmStep{"SLURM_PROCID", "SLURM_STEP_NUM_TASKS"};

constexpr int kMaxRanks = 65'536;

std::optional<int> number(const Variables& variables, const char* name, int low, int high) {
  const std::optional<std::string> text = variables(name);
  if (!text) return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  require(
      error == std::errc() && end == text->data() + text->size() && value >= low && value <= high,
      ErrorKind::usage, "environment variable {}: found '{}', expected a whole number from {}{}",
      name, *text, low,
      high == std::numeric_limits<int>::max() ? " on" : " to " + std::to_string(high));
  return value;
}

/// Returns rank and size from a launcher's variables; nullopt if neither is set.
std::optional<Rendezvous> launched_by(const Variables& variables, const Launcher& launcher) {
  constexpr int kMaxInt = std::numeric_limits<int>::max();
  const std::optional<int> rank = number(variables, launcher.rank, 0, kMaxInt);
  const std::optional<int> size = number(variables, launcher.size, 1, kMaxRanks);
  if (!rank && !size) return std::nullopt;
  require(rank && size, ErrorKind::usage,
          "environment variable {} is set, but {} is not; expected both, or neither to train in "
          "one process",
          rank ? launcher.rank : launcher.size, rank ? launcher.size : launcher.rank);
  require(*rank < *size, ErrorKind::usage,
          "environment variables {} and {}: found {} and {}, expected a rank below the number of "
          "processes",
          launcher.rank, launcher.size, *rank, *size);
  Rendezvous rendezvous;
  rendezvous.rank = *rank;
  rendezvous.size = *size;
  return rendezvous;
}

/// Reads the variables of a step, set by srun. Slurm sets some of its variables in batch scripts
/// and allocations too, where only one process runs.
std::optional<Rendezvous> launched_by_slurm(const Variables& variables) {
  if (variables(kSlurmStep.size)) return launched_by(variables, kSlurmStep);
  if (variables("SLURM_JOB_ID")) return std::nullopt;
  // SLURM_NTASKS alone is an input of srun, which users export.
  return variables(kSlurm.rank) ? launched_by(variables, kSlurm) : std::nullopt;
}

/// Returns "node007" for "node[007-010,12],other1".
std::string first_host(std::string_view list) {
  const std::size_t open = list.find_first_of("[,");
  if (open == list.npos || list[open] == ',') return std::string(list.substr(0, open));
  const std::size_t close = list.find(']', open);
  require(close != list.npos, ErrorKind::usage,
          "environment variable SLURM_STEP_NODELIST: found '{}', expected a list of hosts", list);
  const std::string_view numbers = list.substr(open + 1, close - open - 1);
  return std::string(list.substr(0, open)) +
         std::string(numbers.substr(0, numbers.find_first_of(",-"))) +
         first_host(list.substr(close + 1));
}

std::string slurm_address(const Variables& variables) {
  for (const char* name : {"SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST"}) {
    if (const auto list = variables(name)) return first_host(*list);
  }
  return "";
}

/// Derives a port from the job, so that jobs sharing a machine do not share a port.
int slurm_port(const Variables& variables) {
  const auto job = number(variables, "SLURM_JOB_ID", 0, std::numeric_limits<int>::max());
  return job ? 20'000 + *job % 10'000 : kDefaultPort;
}

/// Returns whether all ranks are on one machine.
bool on_one_host(const Variables& variables, const Rendezvous& rendezvous) {
  const auto local =
      number(variables, "OMPI_COMM_WORLD_LOCAL_SIZE", 1, std::numeric_limits<int>::max());
  return local == rendezvous.size;
}

/// Returns the port of rank 0 under torchrun. Newer versions keep their own store, of another
/// version, at MASTER_PORT, and say so.
int torchrun_port(const Variables& variables) {
  const auto port = number(variables, "MASTER_PORT", 1, kHighestPort);
  require(port.has_value(), ErrorKind::usage,
          "environment variable RANK is set, but MASTER_PORT is not; expected RANK, WORLD_SIZE, "
          "MASTER_ADDR and MASTER_PORT, or --master-port");
  const bool taken = variables("TORCHELASTIC_USE_AGENT_STORE") == "True";
  return taken && *port < kHighestPort ? *port + 1 : *port;
}

void require_no_master(const Variables& variables) {
  for (const char* name : {"MASTER_ADDR", "MASTER_PORT"}) {
    require(!variables(name), ErrorKind::usage,
            "environment variable {} is set, but nothing says which of several processes this is; "
            "expected RANK and WORLD_SIZE, too (or a start by srun or mpirun), or none of them to "
            "train in one process",
            name);
  }
}

}  // namespace

Rendezvous read_rendezvous(const Variables& variables, const std::optional<std::string>& address,
                           std::optional<int> port) {
  const auto torchrun = launched_by(variables, kTorchrun);
  const auto open_mpi = torchrun ? std::nullopt : launched_by(variables, kOpenMpi);
  const auto slurm = torchrun || open_mpi ? std::nullopt : launched_by_slurm(variables);
  if (!torchrun && !open_mpi && !slurm) {
    require_no_master(variables);
    require(!address && !port, ErrorKind::usage,
            "--master-{}: nothing says which of several processes this is; expected RANK and "
            "WORLD_SIZE in the environment, or a start by torchrun, srun or mpirun",
            address ? "address" : "port");
    return {};
  }
  Rendezvous rendezvous = torchrun ? *torchrun : open_mpi ? *open_mpi : *slurm;
  if (rendezvous.size == 1) return rendezvous;
  rendezvous.address = address ? *address : variables("MASTER_ADDR").value_or("");
  if (rendezvous.address.empty() && slurm) rendezvous.address = slurm_address(variables);
  if (rendezvous.address.empty() && open_mpi && on_one_host(variables, rendezvous)) {
    rendezvous.address = "127.0.0.1";
  }
  require(!rendezvous.address.empty(), ErrorKind::usage,
          "the processes cannot find each other: expected the host of rank 0 in MASTER_ADDR{} or "
          "--master-address",
          open_mpi ? " (mpirun -x MASTER_ADDR=HOST)" : "");
  if (port) {
    rendezvous.port = *port;
  } else if (torchrun) {
    rendezvous.port = torchrun_port(variables);
  } else {
    rendezvous.port = number(variables, "MASTER_PORT", 1, kHighestPort)
                          .value_or(slurm ? slurm_port(variables) : kDefaultPort);
  }
  return rendezvous;
}

}  // namespace afterspike::train
