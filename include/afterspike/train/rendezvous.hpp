#pragma once

#include <functional>
#include <optional>
#include <string>

namespace afterspike::train {

/// Port of rank 0 if neither launcher nor user names one.
inline constexpr int kDefaultPort = 29500;

/// Rank of this process among several, and the address where they meet.
struct Rendezvous {
  int rank = 0;
  int size = 1;
  std::string address;      ///< Host name or IP of rank 0; empty if size is 1.
  int port = kDefaultPort;  ///< TCP, on the machine of rank 0.
};

/// Returns the value of an environment variable; nullopt if it is not set.
using Variables = std::function<std::optional<std::string>(const std::string& name)>;

/// Reads the rank from the environment of a launcher. The first launcher whose variables are set
/// counts:
///
///   torchrun, or by hand   RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT
///   mpirun (Open MPI)      OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE
///   srun (Slurm)           SLURM_PROCID, SLURM_STEP_NUM_TASKS (else SLURM_NTASKS)
///
/// None means one process. `address` and `port`, if given, take precedence over MASTER_ADDR and
/// MASTER_PORT, and these over derived values: under srun the first host of the step and a port
/// from the job's number; under mpirun on one machine that machine. The batch script of a Slurm job
/// is one process; only srun starts several.
///
/// Throws Error(usage) for variables that are missing, not numbers or contradictory; it names them.
Rendezvous read_rendezvous(const Variables& variables,
                           const std::optional<std::string>& address = {},
                           std::optional<int> port = {});

}  // namespace afterspike::train
