#pragma once

#include <cstdint>

#include "afterspike/kernels/gemm.hpp"

/// Backend of gemm() for float32 and bfloat16: oneDNN (gemm_onednn.cpp), or BLAS (gemm_blas.cpp) if
/// the project was built without oneDNN.
namespace afterspike::kernels::library {

/// As gemm(); m and n are above 0, beta is 0 or 1.
void multiply(Take take_a, Take take_b, std::int64_t m, std::int64_t n, std::int64_t k,
              Matrix<const float> a, Matrix<const float> b, float beta, Matrix<float> c);
void multiply(Take take_a, Take take_b, std::int64_t m, std::int64_t n, std::int64_t k,
              Matrix<const Bfloat16> a, Matrix<const Bfloat16> b, float beta, Matrix<float> c);

bool has_bfloat16();

/// Vectors of so many bits at most.
enum class Vectors { of_128, of_256, of_512 };

/// Lets it use no longer ones, if it has multiplied nothing yet and can.
void limit_instructions(Vectors longest);

}  // namespace afterspike::kernels::library
