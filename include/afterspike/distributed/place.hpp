#pragma once

#include <functional>
#include <optional>
#include <string>

namespace afterspike::distributed {

/// The port of rank 0 where neither launcher nor user names one.
inline constexpr int kDefaultPort = 29500;

/// Which of several processes this one is, and where they meet.
struct Place {
  int rank = 0;
  int size = 1;
  std::string address;      ///< Host name or IP of rank 0; empty where size is 1.
  int port = kDefaultPort;  ///< TCP, on the machine of rank 0.
};

/// The value of an environment variable; nothing where it is not set.
using Variables = std::function<std::optional<std::string>(const std::string& name)>;

/// Reads what a launcher tells its processes. The first of these that is there counts:
///
///   torchrun, or by hand   RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT
///   mpirun (Open MPI)      OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE
///   srun (Slurm)           SLURM_PROCID, SLURM_STEP_NUM_TASKS (else SLURM_NTASKS)
///
/// and nothing means one process. `address` and `port`, where given, count before MASTER_ADDR and
/// MASTER_PORT, and those before what is derived: under srun the first host of the step and a port
/// from the number of the job; under mpirun on one machine that machine. The batch script of a
/// Slurm job is one process: only what srun starts is several.
///
/// Throws Error(usage) for variables of which some are missing, that are no numbers or contradict
/// each other; it names them.
Place read_place(const Variables& variables, const std::optional<std::string>& address = {},
                 std::optional<int> port = {});

}  // namespace afterspike::distributed
