#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "afterspike/base/error.hpp"

namespace afterspike::io {

/// Supported element types; the names are those of the safetensors format.
enum class ElementType { F32, F64, I64, U8 };

std::size_t element_size(ElementType type) noexcept;
std::string_view element_name(ElementType type) noexcept;

/// A named array that owns its bytes: row-major, little-endian.
struct Array {
  ElementType type = ElementType::F32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;  ///< REQUIRES: the product of the shape times element_size(type)
                                 ///< bytes.
};

/// Arrays by name, and text by key (the format's __metadata__).
struct Arrays {
  std::map<std::string, Array> arrays;
  std::map<std::string, std::string> metadata;
};

/// Writes a safetensors file (https://github.com/huggingface/safetensors): eight bytes of header
/// length, a JSON header padded with spaces to eight bytes, the data without gaps in order of name.
/// The file is flushed to disk; to make its appearance atomic, write it inside an AtomicDirectory.
void write_safetensors(const std::filesystem::path& path, const Arrays& arrays);

/// Reads a safetensors file of any of the element types above. Everything is checked against the
/// file's size before anything is read: header length, offsets in bounds, in order, without overlap
/// or gap, and equal to shape times element size. Throws Error(checkpoint) that names file, tensor,
/// what was found and what was expected.
Arrays read_safetensors(const std::filesystem::path& path);

}  // namespace afterspike::io
