#include "afterspike/experiment/checkpoint.hpp"

#include <algorithm>
#include <cstring>
#include <set>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/atomic.hpp"
#include "afterspike/io/bytes.hpp"
#include "afterspike/io/safetensors.hpp"

namespace afterspike::experiment {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kManifest = "manifest.json";
constexpr std::string_view kModel = "model.safetensors";
constexpr std::string_view kTraining = "training.safetensors";

io::ElementType element_type(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return io::ElementType::F32;
    case at::kDouble:
      return io::ElementType::F64;
    case at::kLong:
      return io::ElementType::I64;
    case at::kByte:
      return io::ElementType::U8;
    default:
      fail(ErrorKind::internal, "a tensor of type {} cannot be saved", at::toString(type));
  }
}

at::ScalarType scalar_type(io::ElementType type) {
  switch (type) {
    case io::ElementType::F32:
      return at::kFloat;
    case io::ElementType::F64:
      return at::kDouble;
    case io::ElementType::I64:
      return at::kLong;
    case io::ElementType::U8:
      break;
  }
  return at::kByte;
}

io::Arrays to_arrays(const nn::NamedTensors& tensors) {
  io::Arrays result;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor plain = tensor.detach().to(at::kCPU).contiguous();
    io::Array& array = result.arrays[name];
    array.type = element_type(plain.scalar_type());
    array.shape = plain.sizes().vec();
    array.bytes.resize(plain.nbytes());
    if (!array.bytes.empty()) std::memcpy(array.bytes.data(), plain.data_ptr(), plain.nbytes());
  }
  return result;
}

nn::NamedTensors to_tensors(const io::Arrays& arrays) {
  nn::NamedTensors result;
  for (const auto& [name, array] : arrays.arrays) {
    at::Tensor tensor = at::empty(array.shape, scalar_type(array.type));
    if (!array.bytes.empty()) {
      std::memcpy(tensor.data_ptr(), array.bytes.data(), array.bytes.size());
    }
    result[name] = tensor;
  }
  return result;
}

io::Json describe_file(const fs::path& path) {
  return {{"bytes", fs::file_size(path)}, {"sha256", io::sha256_of_file(path)}};
}

std::string checksum(const io::Json& json) {
  const std::string text = json.dump();
  return io::sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

template <typename T>
T manifest_member(const io::Json& object, std::string_view key, const fs::path& path) {
  return io::member<T>(object, key, path.string(), ErrorKind::checkpoint);
}

io::Json read_manifest(const fs::path& path) {
  io::Json manifest = io::read_json(path, ErrorKind::checkpoint);
  const auto format = manifest_member<std::int64_t>(manifest, "format", path);
  require(format <= kCheckpointFormat, ErrorKind::checkpoint,
          "{}: format {} is newer than this program knows (up to {}); use a newer afterspike",
          path.string(), format, kCheckpointFormat);
  require(format >= 1, ErrorKind::checkpoint, "{}: format {}, expected 1 to {}", path.string(),
          format, kCheckpointFormat);
  const auto expected = manifest_member<std::string>(manifest, "sha256", path);
  manifest.erase("sha256");
  const std::string found = checksum(manifest);
  require(found == expected, ErrorKind::checkpoint,
          "{}: the checksum of its content is {}, expected {}: the file was changed or damaged",
          path.string(), found, expected);
  return manifest;
}

void check_file(const fs::path& path, const io::Json& expected) {
  require(fs::is_regular_file(path), ErrorKind::checkpoint, "{}: the file is missing",
          path.string());
  const auto bytes = manifest_member<std::uintmax_t>(expected, "bytes", path);
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  require(!error, ErrorKind::checkpoint, "{}: cannot be read: {}", path.string(), error.message());
  require(size == bytes, ErrorKind::checkpoint,
          "{}: found {} bytes, expected {}: the file is truncated or damaged", path.string(), size,
          bytes);
  const auto sha256 = manifest_member<std::string>(expected, "sha256", path);
  const std::string found = io::sha256_of_file(path);
  require(found == sha256, ErrorKind::checkpoint,
          "{}: the SHA-256 is {}, expected {}: the file was changed or damaged", path.string(),
          found, sha256);
}

}  // namespace

io::Json describe_parameters(const nn::Network& network) {
  io::Json table = io::Json::array();
  for (const nn::Network::Parameter& parameter : network.named()) {
    table.push_back({{"name", parameter.name},
                     {"symbol", parameter.spec->symbol},
                     {"unit", parameter.spec->unit},
                     {"transform", parameter.spec->transform.text()},
                     {"initial", parameter.spec->initial.text()},
                     {"group", nn::group_name(parameter.spec->group)},
                     {"trainable", parameter.spec->trainable},
                     {"shape", parameter.spec->shape}});
  }
  return table;
}

void require_same_parameters(const io::Json& parameters, const nn::Network& network) {
  const io::Json expected = describe_parameters(network);
  require(parameters.is_array(), ErrorKind::checkpoint,
          "manifest: member 'parameters': found {}, expected a list", parameters.type_name());
  for (const io::Json& own : expected) {
    const auto& name = own.at("name");
    const auto found = std::find_if(parameters.begin(), parameters.end(), [&](const io::Json& row) {
      return row.is_object() && row.value("name", io::Json()) == name;
    });
    require(found != parameters.end(), ErrorKind::checkpoint,
            "parameter {} is missing; the checkpoint belongs to another model", name.dump());
    for (const char* key : {"shape", "unit", "transform", "group", "trainable"}) {
      const io::Json value = found->value(key, io::Json());
      require(value == own.at(key), ErrorKind::checkpoint,
              "parameter {}: {}: found {}, expected {}; the checkpoint belongs to another model",
              name.dump(), key, value.dump(), own.at(key).dump());
    }
  }
  require(parameters.size() == expected.size(), ErrorKind::checkpoint,
          "found {} parameters, expected {}; the checkpoint belongs to another model",
          parameters.size(), expected.size());
}

nn::NamedTensors model_tensors(const nn::Network& network) {
  nn::NamedTensors tensors;
  for (const nn::Network::Parameter& parameter : network.named()) {
    tensors[parameter.name] = parameter.tensor.detach().clone();
  }
  return tensors;
}

void write_tensors(const fs::path& path, const nn::NamedTensors& tensors) {
  io::write_safetensors(path, to_arrays(tensors));
}

void write_checkpoint(const fs::path& directory, const Checkpoint& checkpoint) {
  io::AtomicDirectory target(directory);
  io::Json files;
  write_tensors(target.staging() / kModel, checkpoint.model);
  files[std::string(kModel)] = describe_file(target.staging() / kModel);
  if (!checkpoint.training.empty()) {
    write_tensors(target.staging() / kTraining, checkpoint.training);
    files[std::string(kTraining)] = describe_file(target.staging() / kTraining);
  }
  io::Json manifest = {{"format", kCheckpointFormat},
                       {"program", "afterspike"},
                       {"version", AFTERSPIKE_VERSION},
                       {"configuration", checkpoint.configuration},
                       {"progress", checkpoint.progress},
                       {"parameters", checkpoint.parameters},
                       {"files", files}};
  manifest["sha256"] = checksum(manifest);
  io::write_file(target.staging() / kManifest, manifest.dump(2) + "\n");
  target.commit();
}

Checkpoint read_checkpoint(const fs::path& directory, Part part) {
  require(fs::is_directory(directory), ErrorKind::checkpoint, "{}: there is no such checkpoint",
          directory.string());
  const fs::path path = directory / kManifest;
  const io::Json manifest = read_manifest(path);
  auto files = manifest_member<io::Json>(manifest, "files", path);
  if (part == Part::model && files.is_object()) files.erase(std::string(kTraining));
  for (const auto& [name, expected] : files.items()) check_file(directory / name, expected);
  require(files.contains(kModel), ErrorKind::checkpoint, "{}: there is no {}", path.string(),
          kModel);
  Checkpoint result;
  result.configuration = manifest_member<io::Json>(manifest, "configuration", path);
  result.progress = manifest_member<io::Json>(manifest, "progress", path);
  result.parameters = manifest_member<io::Json>(manifest, "parameters", path);
  result.model = to_tensors(io::read_safetensors(directory / kModel));
  if (files.contains(kTraining)) {
    result.training = to_tensors(io::read_safetensors(directory / kTraining));
  }
  return result;
}

void assign(const nn::NamedTensors& model, nn::Network& network) {
  const std::vector<nn::Network::Parameter> parameters = network.named();
  std::set<std::string> known;
  for (const nn::Network::Parameter& parameter : parameters) {
    known.insert(parameter.name);
    const auto found = model.find(parameter.name);
    require(found != model.end(), ErrorKind::checkpoint,
            "tensor '{}' is missing; the checkpoint belongs to another model", parameter.name);
    require(found->second.sizes() == parameter.tensor.sizes(), ErrorKind::checkpoint,
            "tensor '{}': found shape [{}], expected [{}]", parameter.name,
            fmt::join(found->second.sizes().vec(), ", "),
            fmt::join(parameter.tensor.sizes().vec(), ", "));
    require(found->second.scalar_type() == parameter.tensor.scalar_type(), ErrorKind::checkpoint,
            "tensor '{}': found type {}, expected {}", parameter.name,
            at::toString(found->second.scalar_type()),
            at::toString(parameter.tensor.scalar_type()));
  }
  for (const auto& [name, tensor] : model) {
    require(known.contains(name), ErrorKind::checkpoint,
            "tensor '{}' is not known; the checkpoint belongs to another model", name);
  }
  const at::NoGradGuard no_grad;
  for (const nn::Network::Parameter& parameter : parameters) {
    at::Tensor target = parameter.tensor;
    target.copy_(model.at(parameter.name));
  }
}

}  // namespace afterspike::experiment
