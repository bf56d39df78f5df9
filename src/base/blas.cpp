#include "afterspike/base/blas.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string_view>
#include <utility>

#include "afterspike/base/error.hpp"

namespace afterspike {
namespace {

/// Returns a function of the loaded BLAS library; null if it has none of that name.
template <typename Function>
Function* loaded_function(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

constexpr const char* kCoreVariable = "OPENBLAS_CORETYPE";

/// OpenBLAS's names of processors without AVX.
constexpr std::string_view kOldCores[] = {"Katmai",       "Coppermine", "Northwood", "Prescott",
                                          "Banias",       "Atom",       "Core2",     "Penryn",
                                          "Dunnington",   "Nehalem",    "Athlon",    "Opteron",
                                          "Opteron_SSE3", "Barcelona",  "Bobcat",    "Nano"};

ProcessorInstructions own_instructions() {
  ProcessorInstructions own;
#if defined(__x86_64__)
  own.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  own.avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#endif
  return own;
}

}  // namespace

void set_blas_threads(int threads) {
  if (auto* set = loaded_function<void(int)>("openblas_set_num_threads")) set(threads);
}

void require_threaded_blas(int threads) {
  auto* const parallel = loaded_function<int()>("openblas_get_parallel");
  require(threads <= 1 || parallel == nullptr || (*parallel)() != 0, ErrorKind::config,
          "--threads: found {}, expected 1: the OpenBLAS library that is loaded was built without "
          "threads and gives wrong results when several threads call it; install another "
          "(apt-get install libopenblas0-pthread)",
          threads);
}

void prepare_blas(int threads) {
  set_blas_threads(1);
  use_better_openblas_core();
  require_threaded_blas(threads);
}

int blas_threads() {
  auto* const get = loaded_function<int()>("openblas_get_num_threads");
  return get != nullptr ? (*get)() : 0;
}

std::string openblas_core() {
  auto* const name = loaded_function<char*()>("openblas_get_corename");
  return name != nullptr ? name() : "";
}

std::optional<std::string> better_openblas_core(const std::string& core,
                                                ProcessorInstructions instructions) {
  if (std::ranges::find(kOldCores, core) == std::end(kOldCores)) return std::nullopt;
  if (instructions.avx512) return "SkylakeX";
  if (instructions.avx2) return "Haswell";
  return std::nullopt;
}

bool use_better_openblas_core() {
  static bool tried = false;  // A build without that core stays unchanged.
  if (std::getenv(kCoreVariable) != nullptr || std::exchange(tried, true)) return false;
  // The library's initialisation at load time, and its reverse.
  auto* const init = loaded_function<void()>("gotoblas_dynamic_init");
  auto* const quit = loaded_function<void()>("gotoblas_dynamic_quit");
  const std::string before = openblas_core();
  const auto core = better_openblas_core(before, own_instructions());
  if (!core || init == nullptr || quit == nullptr) return false;
  setenv(kCoreVariable, core->c_str(), /*overwrite=*/1);
  quit();
  init();
  unsetenv(kCoreVariable);
  return openblas_core() != before;
}

}  // namespace afterspike
