#include "mutate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <fmt/format.h>
#include <hdf5.h>
#include <nlohmann/json.hpp>

namespace afterspike::testing {
namespace {

using Json = nlohmann::json;

std::size_t below(Rng& rng, std::size_t bound) {
  return static_cast<std::size_t>(rng.below(bound));
}

template <typename List>
const auto& any_of(const List& list, Rng& rng) {
  return list[below(rng, std::size(list))];
}

int changes(Rng& rng) {
  return 1 + static_cast<int>(below(rng, 3));
}

const double kNumbers[] = {0,
                           -0.0,
                           1,
                           -1,
                           0.5,
                           1e-320,
                           1e-40,
                           255,
                           256,
                           65536,
                           2147483648.0,
                           4294967296.0,
                           9007199254740992.0,
                           9.3e18,
                           1e38,
                           1e300,
                           std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity(),
                           std::numeric_limits<double>::quiet_NaN()};

/// JSON has no NaN: the text of a value.
std::string odd_json(Rng& rng) {
  switch (below(rng, 12)) {
    case 0:
      return "null";
    case 1:
      return "true";
    case 2:
      return any_of(std::array{"\"\"", "\"../../etc\"", "\"\\u0000\"", "\"\xc3\xa4\"", "\"1\""},
                    rng);
    case 3:
      return "[]";
    case 4:
      return "{}";
    case 5:
      return any_of(std::array{"18446744073709551615", "-9223372036854775808", "1e308", "-1", "0",
                               "0.5", "1e-320", "2147483648"},
                    rng);
    case 6: {  // Depth about the limit, and far beyond it.
      const std::size_t levels = any_of(std::array{5UL, 99UL, 101UL, 3000UL, 200'000UL}, rng);
      return std::string(levels, '[') + std::string(levels, ']');
    }
    case 7: {
      const std::size_t levels = any_of(std::array{5UL, 101UL, 100'000UL}, rng);
      std::string text;
      for (std::size_t i = 0; i < levels; ++i) text += "{\"a\":";
      return text + '1' + std::string(levels, '}');
    }
    case 8: {
      std::string text = "{";
      const std::size_t members = any_of(std::array{3UL, 200UL, 10'001UL, 40'000UL}, rng);
      for (std::size_t i = 0; i < members; ++i) text += fmt::format("{}\"k{}\":1", i ? "," : "", i);
      return text + "}";
    }
    case 9: {
      std::string text = "[1";
      const std::size_t values = any_of(std::array{1UL, 7UL, 1000UL, 100'000UL}, rng);
      for (std::size_t i = 1; i < values; ++i) text += fmt::format(",{}", i);
      return text + "]";
    }
    case 10:
      return "\"" + std::string(any_of(std::array{1UL, 300UL, 100'000UL}, rng), 'x') + "\"";
    default:
      return any_of(std::array{"[[]]", "[null]", "{\"a\":{}}", "\"NaN\"", "[\"a\",1]"}, rng);
  }
}

void collect(Json& value, std::vector<Json*>& places) {
  places.push_back(&value);
  if (value.is_structured()) {
    for (Json& inner : value) collect(inner, places);
  }
}

constexpr const char* kPlaceholder = "@replaced@";

/// Changes one value; gives the text that takes the place of a placeholder, if one was set.
std::string change(Json& document, Rng& rng) {
  std::vector<Json*> places;
  collect(document, places);
  Json& place = *any_of(places, rng);
  if (place.is_object() && !place.empty() && below(rng, 2) == 0) {
    auto member = place.begin();
    std::advance(member, static_cast<std::ptrdiff_t>(below(rng, place.size())));
    const std::string key = member.key();
    const Json value = member.value();
    if (below(rng, 2) == 0) place.erase(key);
    if (below(rng, 2) == 0) place[key + "_"] = value;
    return "";
  }
  if (place.is_array() && !place.empty() && below(rng, 2) == 0) {
    const std::size_t repeats = any_of(std::array{0UL, 1UL, 2UL, 50UL}, rng);
    const Json last = place.back();
    if (repeats == 0) place.erase(place.size() - 1);
    for (std::size_t i = 0; i < repeats; ++i) place.push_back(last);
    return "";
  }
  place = kPlaceholder;
  return odd_json(rng);
}

std::string odd_cell(Rng& rng) {
  static const std::vector<std::string> cells = {
      "",     "nan",  "inf",     "-1",      "1e400", "1e-320", "0",           "2147483648",
      "1e18", "abc",  "\"a,b\"", "\"",      "'''",   "+1",     "0x10",        "1,2",
      "\t",   "true", "[1, 2]",  "{a = 1}", "a.b.c", "..",     "/etc/passwd", "\xff\xfe"};
  if (below(rng, 8) == 0) return std::string(any_of(std::array{100UL, 50'000UL}, rng), 'a');
  if (below(rng, 12) == 0) {
    std::string key = "a";
    for (int i = 0; i < 50'000; ++i) key += ".a";
    return key;
  }
  return any_of(cells, rng);
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char letter : text) {
    if (letter == separator) {
      parts.emplace_back();
    } else {
      parts.back() += letter;
    }
  }
  return parts;
}

std::string joined(const std::vector<std::string>& parts, char separator) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += separator;
    text += parts[i];
  }
  return text;
}

struct Visited {
  std::vector<std::string> datasets, groups;
};

Visited objects_of(hid_t file) {
  Visited found;
  const H5O_iterate_t add = [](hid_t, const char* name, const H5O_info_t* info,
                               void* data) -> herr_t {
    auto& visited = *static_cast<Visited*>(data);
    const bool dataset = info->type == H5O_TYPE_DATASET;
    (dataset ? visited.datasets : visited.groups).emplace_back(name);
    return 0;
  };
  H5Ovisit(file, H5_INDEX_NAME, H5_ITER_NATIVE, add, &found);
  return found;
}

hid_t odd_type(Rng& rng) {
  const hid_t types[] = {H5T_IEEE_F64LE, H5T_IEEE_F32BE, H5T_STD_I64LE,  H5T_STD_U8LE,
                         H5T_STD_I32BE,  H5T_C_S1,       H5T_STD_REF_OBJ};
  return any_of(types, rng);
}

/// Puts a data set of any rank, extent and type at a name; nothing is written into half of them.
void put_odd_dataset(hid_t file, const std::string& name, Rng& rng) {
  std::vector<hsize_t> shape(below(rng, 5)), chunk;
  for (hsize_t& extent : shape) {
    extent = any_of(std::array<hsize_t, 8>{0, 1, 2, 3, 5, 100, 100'000, 4'000'000'000}, rng);
    chunk.push_back(std::clamp<hsize_t>(extent, 1, 16));
  }
  const bool variable = below(rng, 5) == 0;
  const hid_t type = variable ? H5Tvlen_create(H5T_IEEE_F64LE) : H5Tcopy(odd_type(rng));
  const hid_t space = shape.empty()
                          ? H5Screate(below(rng, 3) == 0 ? H5S_NULL : H5S_SCALAR)
                          : H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  if (!shape.empty()) H5Pset_chunk(creation, static_cast<int>(chunk.size()), chunk.data());
  const hid_t set = H5Dcreate2(file, name.c_str(), type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  double count = 1;
  for (const hsize_t extent : shape) count *= static_cast<double>(extent);
  if (set >= 0 && !variable && count < 1e5 && below(rng, 2) == 0) {
    const std::vector<double> values(static_cast<std::size_t>(count) + 1, any_of(kNumbers, rng));
    H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  }
  for (const hid_t id : {set}) {
    if (id >= 0) H5Dclose(id);
  }
  H5Pclose(creation);
  H5Sclose(space);
  H5Tclose(type);
}

/// Overwrites some values of a numeric data set of moderate size.
void overwrite(hid_t file, const std::string& name, Rng& rng) {
  const hid_t set = H5Dopen2(file, name.c_str(), H5P_DEFAULT);
  if (set < 0) return;
  const hid_t space = H5Dget_space(set), type = H5Dget_type(set);
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  const H5T_class_t kind = H5Tget_class(type);
  if (count > 0 && count < 100'000 && (kind == H5T_INTEGER || kind == H5T_FLOAT)) {
    std::vector<double> values(static_cast<std::size_t>(count));
    H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    for (int i = changes(rng); i > 0; --i)
      values[below(rng, values.size())] = any_of(kNumbers, rng);
    H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  }
  H5Tclose(type);
  H5Sclose(space);
  H5Dclose(set);
}

void change_attributes(hid_t file, const std::string& name, Rng& rng) {
  const hid_t object = H5Oopen(file, name.c_str(), H5P_DEFAULT);
  if (object < 0) return;
  H5O_info_t info;
  if (H5Oget_info(object, &info) >= 0 && info.num_attrs > 0) {
    const hsize_t index = below(rng, info.num_attrs);
    char attribute[256] = {};
    H5Aget_name_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_NATIVE, index, attribute,
                       sizeof attribute, H5P_DEFAULT);
    H5Adelete(object, attribute);
    if (below(rng, 2) == 0) {
      const hid_t space = H5Screate(H5S_SCALAR);
      const hid_t added =
          H5Acreate2(object, attribute, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT);
      const double value = any_of(kNumbers, rng);
      if (added >= 0) {
        H5Awrite(added, H5T_NATIVE_DOUBLE, &value);
        H5Aclose(added);
      }
      H5Sclose(space);
    }
  }
  H5Oclose(object);
}

void change(hid_t file, Rng& rng) {
  const Visited found = objects_of(file);
  const bool group = found.datasets.empty() || below(rng, 6) == 0;
  const std::string name = any_of(group ? found.groups : found.datasets, rng);
  switch (below(rng, 5)) {
    case 0:
      if (name != ".") H5Ldelete(file, name.c_str(), H5P_DEFAULT);
      break;
    case 1:
      change_attributes(file, below(rng, 2) == 0 ? "." : name, rng);
      break;
    case 2:
      if (name == ".") break;
      H5Ldelete(file, name.c_str(), H5P_DEFAULT);
      put_odd_dataset(file, name, rng);
      break;
    case 3:
      if (name == "." || found.datasets.empty()) break;
      H5Ldelete(file, name.c_str(), H5P_DEFAULT);
      H5Lcreate_soft(("/" + any_of(found.datasets, rng)).c_str(), file, name.c_str(), H5P_DEFAULT,
                     H5P_DEFAULT);
      break;
    default:
      if (!group) overwrite(file, name, rng);
  }
}

}  // namespace

std::string mutated_json(const std::string& text, Rng& rng) {
  Json document = Json::parse(text);
  std::string replacement;
  for (int i = changes(rng); i > 0 && replacement.empty(); --i) replacement = change(document, rng);
  std::string result = document.dump();
  const std::string placeholder = fmt::format("\"{}\"", kPlaceholder);
  const auto at = result.find(placeholder);
  if (at != std::string::npos) result.replace(at, placeholder.size(), replacement);
  if (below(rng, 20) == 0) result.resize(below(rng, result.size() + 1));
  return result;
}

std::string mutated_lines(const std::string& text, Rng& rng) {
  std::vector<std::string> lines = split(text, '\n');
  for (int i = changes(rng); i > 0; --i) {
    const std::size_t at = below(rng, lines.size());
    switch (below(rng, 6)) {
      case 0:
        if (lines.size() > 1) lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 1: {
        const std::string line = lines[at];
        const std::size_t repeats = any_of(std::array{1UL, 2UL, 500UL}, rng);
        lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), repeats, line);
        break;
      }
      case 2:
        std::swap(lines[at], lines[below(rng, lines.size())]);
        break;
      case 3:
        lines[at] += any_of(std::array{",", ",1", " ", "\r", ",,,,", "#", "\""}, rng);
        break;
      default: {
        const char separator = lines[at].find(',') != std::string::npos ? ',' : ' ';
        std::vector<std::string> cells = split(lines[at], separator);
        cells[below(rng, cells.size())] = odd_cell(rng);
        lines[at] = joined(cells, separator);
      }
    }
  }
  return joined(lines, '\n');
}

std::string mutated_bytes(std::string bytes, Rng& rng) {
  const int count = 1 + static_cast<int>(below(rng, 8));
  for (int i = 0; i < count && !bytes.empty(); ++i) {
    const std::size_t at = below(rng, bytes.size());
    const std::size_t length = std::min<std::size_t>(1 + below(rng, 16), bytes.size() - at);
    switch (below(rng, 5)) {
      case 0:
        bytes.erase(at, length);
        break;
      case 1:
        bytes.insert(at, bytes.substr(at, length));
        break;
      case 2:
        bytes.resize(at);
        break;
      case 3: {
        const std::uint64_t number = any_of(
            std::array<std::uint64_t, 6>{0, 1, 0x7fffffff, 0xffffffff, 0x100000000, ~0ULL}, rng);
        std::memcpy(bytes.data() + at, &number, std::min<std::size_t>(8, bytes.size() - at));
        break;
      }
      default:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(rng, 8)));
    }
  }
  return bytes;
}

void mutate_hdf5(const std::filesystem::path& path, Rng& rng) {
  H5E_auto2_t printer = nullptr;
  void* data = nullptr;
  H5Eget_auto2(H5E_DEFAULT, &printer, &data);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  for (int i = changes(rng); i > 0 && file >= 0; --i) change(file, rng);
  if (file >= 0) H5Fclose(file);
  H5Eset_auto2(H5E_DEFAULT, printer, data);
}

}  // namespace afterspike::testing
