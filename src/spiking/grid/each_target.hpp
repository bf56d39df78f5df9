// Compiles the including file for AVX-512, AVX2 and the baseline: what processors of today have.
// Two more sets would double the time to compile every model. No include guard: a file is compiled
// again by each inclusion.

#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSE4 | HWY_SSSE3)
#endif

#include <hwy/foreach_target.h>
#include <hwy/highway.h>
