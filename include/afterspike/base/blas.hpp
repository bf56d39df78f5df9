#pragma once

#include <optional>
#include <string>

namespace afterspike {

/// Prepares this process's BLAS library, which LibTorch uses too, for calls from several of our
/// threads: tells OpenBLAS to start no threads of its own (they would wait for each other within
/// products that are too small for them) and to use suitable functions on a processor that it does
/// not know (use_better_openblas_core()). Call it once before work starts.
///
/// Throws Error(config) if `threads` > 1 and the library is an OpenBLAS built without threads: such
/// a build keeps its buffers unlocked, and products computed at the same time are sometimes wrong,
/// without an error. (Seen with Debian's libopenblas0-serial 0.3.21.)
void prepare_blas(int threads);

/// The check of prepare_blas() alone, which changes nothing.
void require_threaded_blas(int threads);

/// Allows OpenBLAS, if it is the library, to use this many threads within a product. For measuring
/// LibTorch without our threads.
void set_blas_threads(int threads);

/// Returns the threads that OpenBLAS may use within a product; 0 if BLAS is another library.
int blas_threads();

/// Returns the processor that OpenBLAS computes as, such as SkylakeX; empty if BLAS is another
/// library.
std::string openblas_core();

/// Instruction sets of a processor that matter for BLAS.
struct ProcessorInstructions {
  bool avx2 = false;    ///< Includes FMA.
  bool avx512 = false;  ///< F, DQ, BW and VL.
};

/// Returns the value of the environment variable OPENBLAS_CORETYPE that makes OpenBLAS use these
/// instructions; nullopt if `core` already uses some of them. OpenBLAS reads the variable when it
/// is loaded. An OpenBLAS older than the processor may not know it and select very old functions:
/// version 0.3.21 on an Intel Xeon of 2023 selected those of 2004 (Prescott), an eighth as fast.
std::optional<std::string> better_openblas_core(const std::string& core,
                                                ProcessorInstructions instructions);

/// Makes OpenBLAS select again with that variable if this is an improvement, and returns whether it
/// did. Does nothing if a user has set the variable. The variable is set only meanwhile. REQUIRES:
/// no other thread reads the environment or is in the library.
bool use_better_openblas_core();

}  // namespace afterspike
