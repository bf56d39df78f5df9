#pragma once

#include <span>
#include <string_view>

namespace afterspike::kernels {

/// "avx512", "avx2" or "baseline": the instructions by which the kernels compute now, the best that
/// the processor has unless use_instructions() chose others. Results have the same bits only where
/// these are the same.
std::string_view instructions();

/// Has the kernels, and the products of oneDNN, use no better instructions than these, or again the
/// "best". Call it before the first of them runs. Throws Error(config) for another name or for what
/// the processor does not have.
void use_instructions(std::string_view name);

/// A set of instructions as use_instructions() knows it.
struct InstructionSet {
  std::string_view name, summary;
};

/// Returns the instruction sets of this processor, the best first. Sets that use_instructions() has
/// excluded are left out.
std::span<const InstructionSet> instruction_sets();

}  // namespace afterspike::kernels
