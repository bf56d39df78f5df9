#pragma once

#include <cstdint>
#include <filesystem>

#include "afterspike/io/json.hpp"
#include "afterspike/nn/network.hpp"

/// Checkpoints: directories that exist completely or not at all. docs/checkpoint-format.md has
/// every field.
namespace afterspike::experiment {

/// Version of the written format; files of a newer one are refused.
inline constexpr std::int64_t kCheckpointFormat = 1;

/// Content of a checkpoint.
struct Checkpoint {
  io::Json configuration;     ///< Option path to text, as options::Description writes it.
  io::Json progress;          ///< State of the training: counters, best validation result.
  io::Json parameters;        ///< One object per parameter: name, symbol, unit, transform ...
  nn::NamedTensors model;     ///< Raw values by full name.
  nn::NamedTensors training;  ///< Optimiser state by name; empty in a released model.
};

/// Returns the table of a network's parameters, for Checkpoint::parameters.
io::Json describe_parameters(const nn::Network& network);

/// Throws Error(checkpoint) naming the first parameter, and its property, in which a checkpoint's
/// table and the network differ (unit, transform, group, trained or not, shape): its raw values
/// would have another meaning in this network. Initial values may differ.
void require_same_parameters(const io::Json& parameters, const nn::Network& network);

/// Returns copies of all parameters of a network.
nn::NamedTensors model_tensors(const nn::Network& network);

/// Writes tensors of any device to a safetensors file. Throws Error(data) if writing fails.
void write_tensors(const std::filesystem::path& path, const nn::NamedTensors& tensors);

/// Writes manifest.json, model.safetensors and, if there is any, training.safetensors; the
/// directory appears by rename. Throws Error(data) if writing fails.
void write_checkpoint(const std::filesystem::path& directory, const Checkpoint& checkpoint);

/// The part of a checkpoint that is read.
enum class Part {
  all,
  model,  ///< Without training.safetensors, for readers that do not resume; `training` is empty.
};

/// Reads and checks a checkpoint: format version, sizes and SHA-256 of all files that are read.
/// Throws Error(checkpoint) that names the file, the value found and the value expected.
Checkpoint read_checkpoint(const std::filesystem::path& directory, Part part = Part::all);

/// Copies model tensors into a network. Throws Error(checkpoint) naming the first tensor that is
/// missing, unknown, of another shape or of another type; then it has copied nothing.
void assign(const nn::NamedTensors& model, nn::Network& network);

}  // namespace afterspike::experiment
