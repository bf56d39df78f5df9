#include "afterspike/io/safetensors.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "afterspike/io/json.hpp"
#include "file.hpp"
#include "json_reason.hpp"
#include "json_structure.hpp"

namespace afterspike::io {
namespace {

static_assert(std::endian::native == std::endian::little,
              "arrays are written as they are in memory; the format is little-endian");

constexpr std::string_view kMetadata = "__metadata__";
constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kLongestHeader = 100'000'000;  ///< The limit of the reference
                                                       ///< implementation.

/// Sorted keys: an ordered_json would search a damaged header with many keys in quadratic time.
using Header = nlohmann::json;

std::optional<ElementType> element_type(std::string_view name) {
  for (const ElementType type :
       {ElementType::F32, ElementType::F64, ElementType::I64, ElementType::U8}) {
    if (element_name(type) == name) return type;
  }
  return std::nullopt;
}

/// Returns the bytes of an array of this shape; nullopt if they exceed 64 bits.
std::optional<std::uint64_t> bytes_of(const std::vector<std::int64_t>& shape, ElementType type) {
  std::uint64_t bytes = element_size(type);
  for (const std::int64_t extent : shape) {
    const auto factor = static_cast<std::uint64_t>(extent);
    if (factor != 0 && bytes > std::numeric_limits<std::uint64_t>::max() / factor) {
      return std::nullopt;
    }
    bytes *= factor;
  }
  return bytes;
}

/// A tensor as described by the header.
struct Entry {
  std::string name;
  ElementType type;
  std::vector<std::int64_t> shape;
  std::uint64_t begin, end;
};

/// Reads one member of the header; `where` names file and tensor.
Entry read_entry(const std::string& name, const Header& described, const std::string& where) {
  if (!described.is_object()) {  // dump() only for the message.
    fail(ErrorKind::checkpoint, "{}: expected an object, found {}", where, described.dump());
  }
  for (const auto& [key, value] : described.items()) {
    require(key == "dtype" || key == "shape" || key == "data_offsets", ErrorKind::checkpoint,
            "{}: unknown member '{}'; expected dtype, shape and data_offsets", where, key);
  }
  const auto numbers = [&](const char* key) {
    const auto found = described.find(key);
    require(found != described.end() && found->is_array(), ErrorKind::checkpoint,
            "{}: expected a member '{}' that is an array", where, key);
    std::vector<std::int64_t> values;
    for (const Header& value : *found) {
      // The parser stores negative, fractional and larger numbers in other types.
      require(value.is_number_unsigned() &&
                  value.get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max(),
              ErrorKind::checkpoint, "{}: {}: found {}, expected whole numbers of 0 or more", where,
              key, value.dump());
      values.push_back(value.get<std::int64_t>());
    }
    return values;
  };
  const auto dtype = described.find("dtype");
  require(dtype != described.end() && dtype->is_string(), ErrorKind::checkpoint,
          "{}: expected a member 'dtype' that is text", where);
  const auto type = element_type(dtype->get_ref<const std::string&>());
  require(type.has_value(), ErrorKind::checkpoint,
          "{}: found dtype {}, expected F32, F64, I64 or U8", where, dtype->dump());
  const auto offsets = numbers("data_offsets");
  require(offsets.size() == 2, ErrorKind::checkpoint, "{}: found {} data_offsets, expected 2",
          where, offsets.size());
  return {name, *type, numbers("shape"), static_cast<std::uint64_t>(offsets[0]),
          static_cast<std::uint64_t>(offsets[1])};
}

/// Checks the offsets of `entry` against its shape and the size of the data.
void check_entry(const Entry& entry, std::uint64_t data_bytes, const std::string& where) {
  require(entry.begin <= entry.end && entry.end <= data_bytes, ErrorKind::checkpoint,
          "{}: found data_offsets [{}, {}], expected them within the {} bytes of data", where,
          entry.begin, entry.end, data_bytes);
  const auto expected = bytes_of(entry.shape, entry.type);
  require(expected.has_value(), ErrorKind::checkpoint,
          "{}: found shape [{}], which is beyond 64 bits", where, fmt::join(entry.shape, ", "));
  require(*expected == entry.end - entry.begin, ErrorKind::checkpoint,
          "{}: found {} bytes of data, expected {} for shape [{}] of {}", where,
          entry.end - entry.begin, *expected, fmt::join(entry.shape, ", "),
          element_name(entry.type));
}

Header parse_header(const std::string& text, const std::string& file) {
  std::vector<std::set<std::string>> keys;
  std::optional<std::string> duplicate;
  const auto note_keys = [&](int, Header::parse_event_t event, Header& value) {
    if (event == Header::parse_event_t::object_start) keys.emplace_back();
    if (event == Header::parse_event_t::object_end) keys.pop_back();
    if (event == Header::parse_event_t::key && !keys.back().insert(value).second) {
      duplicate = value.get<std::string>();
    }
    return true;
  };
  check_json_structure(text, file, ErrorKind::checkpoint, text.size());
  Header header;
  try {
    header = Header::parse(text, note_keys);
  } catch (const Header::exception& error) {
    fail(ErrorKind::checkpoint,
         "{}: not a safetensors file, or damaged: the header is not valid JSON: {}", file,
         plain_reason(error.what()));
  }
  require(!duplicate, ErrorKind::checkpoint, "{}: the header has '{}' twice", file,
          duplicate.value_or(""));
  require(header.is_object(), ErrorKind::checkpoint, "{}: the header is not a JSON object", file);
  return header;
}

std::map<std::string, std::string> read_metadata(const Header& metadata, const std::string& file) {
  require(metadata.is_object(), ErrorKind::checkpoint, "{}: {}: expected an object", file,
          kMetadata);
  std::map<std::string, std::string> texts;
  for (const auto& [key, value] : metadata.items()) {
    require(value.is_string(), ErrorKind::checkpoint, "{}: {}: '{}': found {}, expected text", file,
            kMetadata, key, value.dump());
    texts[key] = value.get<std::string>();
  }
  return texts;
}

/// Reads the header's text from a file of known size.
std::string read_header(File& source, std::uint64_t size, const std::string& file) {
  require(size >= kLengthBytes, ErrorKind::checkpoint,
          "{}: {} bytes are too few for a safetensors file", file, size);
  std::uint64_t length = 0;
  source.read(std::as_writable_bytes(std::span(&length, 1)));
  require(
      length <= kLongestHeader && length <= size - kLengthBytes, ErrorKind::checkpoint,
      "{}: not a safetensors file, or damaged: found a header length of {}, expected {} at most "
      "(the file has {} bytes)",
      file, length, std::min(kLongestHeader, size - kLengthBytes), size);
  std::string text(static_cast<std::size_t>(length), '\0');
  const std::size_t count = source.read(std::as_writable_bytes(std::span(text)));
  require(count == text.size(), ErrorKind::checkpoint, "{}: the file ends within its header", file);
  return text;
}

/// Sorts entries by the order of their data, which must fill the file to its end.
void check_layout(std::vector<Entry>& entries, std::uint64_t data_bytes, const std::string& file) {
  std::sort(entries.begin(), entries.end(), [](const Entry& left, const Entry& right) {
    return std::tie(left.begin, left.end) < std::tie(right.begin, right.end);
  });
  std::uint64_t expected = 0;
  for (const Entry& entry : entries) {
    require(entry.begin == expected, ErrorKind::checkpoint,
            "{}: tensor '{}': its data begins at {}, expected {}: {} between tensors", file,
            entry.name, entry.begin, expected, entry.begin < expected ? "overlap" : "gap");
    expected = entry.end;
  }
  require(expected == data_bytes, ErrorKind::checkpoint,
          "{}: the tensors end at {}, expected {}: all of the data", file, expected, data_bytes);
}

/// Returns the header's text for consecutive arrays.
std::string header_of(const Arrays& arrays, const std::string& file) {
  Json header = Json::object();
  if (!arrays.metadata.empty()) header[std::string(kMetadata)] = arrays.metadata;
  std::uint64_t begin = 0;
  for (const auto& [name, array] : arrays.arrays) {
    require(name != kMetadata, ErrorKind::internal, "{}: no tensor may be called '{}'", file, name);
    const bool negative = std::any_of(array.shape.begin(), array.shape.end(),
                                      [](std::int64_t extent) { return extent < 0; });
    require(!negative && bytes_of(array.shape, array.type) == array.bytes.size(),
            ErrorKind::internal, "{}: tensor '{}': {} bytes do not fit shape [{}] of {}", file,
            name, array.bytes.size(), fmt::join(array.shape, ", "), element_name(array.type));
    const std::uint64_t end = begin + array.bytes.size();
    header[name] = {{"dtype", element_name(array.type)},
                    {"shape", array.shape},
                    {"data_offsets", {begin, end}}};
    begin = end;
  }
  try {
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    return text;
  } catch (const Json::exception& error) {
    fail(ErrorKind::internal, "{}: a name is not UTF-8: {}", file, plain_reason(error.what()));
  }
}

}  // namespace

std::size_t element_size(ElementType type) noexcept {
  switch (type) {
    case ElementType::F32:
      return 4;
    case ElementType::F64:
    case ElementType::I64:
      return 8;
    case ElementType::U8:
      break;
  }
  return 1;
}

std::string_view element_name(ElementType type) noexcept {
  switch (type) {
    case ElementType::F32:
      return "F32";
    case ElementType::F64:
      return "F64";
    case ElementType::I64:
      return "I64";
    case ElementType::U8:
      break;
  }
  return "U8";
}

void write_safetensors(const std::filesystem::path& path, const Arrays& arrays) {
  const std::string header = header_of(arrays, fmt::format("'{}'", path.string()));
  const std::uint64_t length = header.size();
  File file(path, File::Mode::replace, ErrorKind::checkpoint);
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(header);
  for (const auto& [name, array] : arrays.arrays) file.write(array.bytes);
  file.flush();
}

Arrays read_safetensors(const std::filesystem::path& path) {
  const std::string file = fmt::format("'{}'", path.string());
  File source(path, File::Mode::read, ErrorKind::checkpoint);
  const std::uint64_t size = source.size();
  const std::string text = read_header(source, size, file);
  const std::uint64_t data_bytes = size - kLengthBytes - text.size();

  Arrays arrays;
  std::vector<Entry> entries;
  const Header header = parse_header(text, file);
  for (const auto& [name, described] : header.items()) {
    if (name == kMetadata) {
      arrays.metadata = read_metadata(described, file);
      continue;
    }
    const std::string where = fmt::format("{}: tensor '{}'", file, name);
    entries.push_back(read_entry(name, described, where));
    check_entry(entries.back(), data_bytes, where);
  }
  check_layout(entries, data_bytes, file);
  for (Entry& entry : entries) {
    Array array{entry.type, std::move(entry.shape), {}};
    array.bytes.resize(static_cast<std::size_t>(entry.end - entry.begin));
    require(source.read(array.bytes) == array.bytes.size(), ErrorKind::checkpoint,
            "{}: tensor '{}': the file ends within it", file, entry.name);
    arrays.arrays.emplace(std::move(entry.name), std::move(array));
  }
  return arrays;
}

}  // namespace afterspike::io
