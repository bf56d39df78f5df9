#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace afterspike::tasks {

/// Sequences from a user's file.
struct SequenceFile {
  at::Tensor inputs;   ///< [samples, steps, features], float32; zero beyond a sample's length.
  at::Tensor lengths;  ///< [samples], int64; undefined: all steps of all samples.
  at::Tensor labels;   ///< [samples], int64, 0 and up; undefined if there are none.
  at::Tensor targets;  ///< [samples, steps, outputs], float32; NaN: unknown. Undefined if there are
                       ///< none.
  at::Tensor split;    ///< [samples], int64: 0 train, 1 validation, 2 test; undefined if there is
                       ///< none.
  /// Names of the classes in the order of their labels; empty if labels are numbers.
  std::vector<std::string> class_names = {};
  /// Name of each sample in the column "sequence", as text; empty for HDF5.
  std::vector<std::string> names = {};
};

/// Reads sequences from HDF5 (recognised by its signature, also behind a user block as in
/// MATLAB 7.3 files) or else CSV.
///
/// HDF5: /inputs [samples, steps, features]; optional /lengths [samples]; /labels [samples] or
/// [samples, 1] or
/// /targets [samples, steps, outputs] or neither; optional /split [samples] of 0, 1, 2.
///
/// CSV: one row per step, rows of a sample together and in order. Columns: "sequence" (a number or
/// text that changes from one sample to the next), input columns starting with "input", and
/// optionally "label" (a class, by number or name, the same on all rows of a sample) or target
/// columns starting with "target", and "split". Classes with names are numbered in alphabetical
/// order.
///
/// Throws Error(data) that names file, place, the value found and the value expected: missing
/// parts, shapes that do not fit, values that are not finite, labels that are negative or not
/// whole, lengths out of range.
SequenceFile read_sequence_file(const std::filesystem::path& path);

}  // namespace afterspike::tasks
