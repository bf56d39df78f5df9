#pragma once

#include <cstdint>
#include <filesystem>

#include "afterspike/io/json.hpp"
#include "afterspike/nn/network.hpp"

/// Checkpoints: directories that are there complete or not at all. docs/checkpoint-format.md has
/// every field.
namespace afterspike::checkpoint {

/// Version of the format that we write; files of a newer one are refused.
inline constexpr std::int64_t kFormat = 1;

/// What a checkpoint holds.
struct Checkpoint {
  io::Json configuration;     ///< Option path to text, as options::Description gives it.
  io::Json progress;          ///< Of the training: counters, best validation result.
  io::Json parameters;        ///< One object for each parameter: name, symbol, unit, transform ...
  nn::NamedTensors model;     ///< Raw values by full name.
  nn::NamedTensors training;  ///< Optimiser state by name; empty in a released model.
};

/// The table of a network's parameters, for Checkpoint::parameters.
io::Json describe_parameters(const nn::Network& network);

/// Throws Error(checkpoint) naming the first parameter, and what of it, by which a checkpoint's
/// table and the network differ (unit, transform, group, trained or not, shape): its raw values
/// would mean something else in this network. Initial values may differ.
void require_same_parameters(const io::Json& parameters, const nn::Network& network);

/// Copies of all parameters of a network.
nn::NamedTensors model_tensors(const nn::Network& network);

/// Writes manifest.json, model.safetensors and, if there is any, training.safetensors; the
/// directory appears by rename. Throws Error(data) when the disk refuses.
void save(const std::filesystem::path& directory, const Checkpoint& checkpoint);

/// Reads and checks a checkpoint: format version, sizes and SHA-256 of all files. Throws
/// Error(checkpoint) that names the file, what was found and what was expected.
Checkpoint load(const std::filesystem::path& directory);

/// Copies model tensors into a network. Throws Error(checkpoint) naming the first tensor that is
/// missing, unknown, of another shape or of another type; then nothing was copied.
void assign(const nn::NamedTensors& model, nn::Network& network);

}  // namespace afterspike::checkpoint
