#include "afterspike/base/blas.hpp"

#include <dlfcn.h>

#include "afterspike/base/error.hpp"

namespace afterspike {
namespace {

/// A function of whichever BLAS library was loaded; null where it has none of that name.
template <typename Function>
Function* loaded_function(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

}  // namespace

void set_blas_threads(int threads) {
  if (auto* set = loaded_function<void(int)>("openblas_set_num_threads")) set(threads);
}

void prepare_blas(int threads) {
  set_blas_threads(1);
  auto* const parallel = loaded_function<int()>("openblas_get_parallel");
  require(threads <= 1 || parallel == nullptr || (*parallel)() != 0, ErrorKind::config,
          "--threads: found {}, expected 1: the OpenBLAS library that is loaded was built without "
          "threads and gives wrong results when several threads call it; install another "
          "(apt-get install libopenblas0-pthread)",
          threads);
}

}  // namespace afterspike
