#pragma once

#include <optional>
#include <string>

namespace afterspike {

/// Prepares the BLAS library of this process, which LibTorch uses too, for calls from several
/// threads of ours: tells OpenBLAS to start no threads of its own (they would wait for each other
/// within products that are too small for them), and which functions to take where it does not know
/// the processor (use_better_openblas_core()). Call it once before work starts.
///
/// Throws Error(config) when `threads` > 1 and the library is an OpenBLAS that was built without
/// threads: such a build keeps its buffers unlocked, and products computed at the same time come
/// out wrong now and then, without an error. (Seen with Debian's libopenblas0-serial 0.3.21.)
void prepare_blas(int threads);

/// Lets OpenBLAS, where it is the library, use so many threads within a product: to measure
/// LibTorch as it is without threads of ours.
void set_blas_threads(int threads);

/// What OpenBLAS, where it is the library, computes as: the name of a processor, such as SkylakeX;
/// empty where it is not.
std::string openblas_core();

/// The instructions of a processor that matter here.
struct ProcessorInstructions {
  bool avx2 = false;    ///< And FMA.
  bool avx512 = false;  ///< F, DQ, BW and VL.
};

/// The value of the environment variable OPENBLAS_CORETYPE, which OpenBLAS reads where it is
/// loaded, that makes it use these instructions; nothing where `core` has some of them. An OpenBLAS
/// that is older than the processor may not know it, and takes functions of another age for it:
/// version 0.3.21 on an Intel Xeon of 2023 took those of 2004 (Prescott), an eighth as fast.
std::optional<std::string> better_openblas_core(const std::string& core,
                                                ProcessorInstructions instructions);

/// Has OpenBLAS choose again, with that variable, where it is better off with it, and says whether
/// it did; where a user has set the variable, nothing changes. The variable is set meanwhile only.
/// REQUIRES: no other thread reads the environment or is in the library.
bool use_better_openblas_core();

}  // namespace afterspike
