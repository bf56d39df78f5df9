#pragma once

namespace afterspike {

/// Prepares the BLAS library of this process, which LibTorch uses too, for calls from several
/// threads of ours: tells OpenBLAS to start no threads of its own (they would wait for each other
/// within products that are too small for them). Call it once before work starts.
///
/// Throws Error(config) when `threads` > 1 and the library is an OpenBLAS that was built without
/// threads: such a build keeps its buffers unlocked, and products computed at the same time come
/// out wrong now and then, without an error. (Seen with Debian's libopenblas0-serial 0.3.21.)
void prepare_blas(int threads);

/// Lets OpenBLAS, where it is the library, use so many threads within a product: to measure
/// LibTorch as it is without threads of ours.
void set_blas_threads(int threads);

}  // namespace afterspike
