#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include <zlib.h>

namespace afterspike::testing {

/// Returns the bytes of an array in a file of numpy.savez_compressed, without the header with its
/// type and shape. Reads deflated members only. Throws std::runtime_error.
inline std::vector<std::uint8_t> read_npz(const std::filesystem::path& path,
                                          const std::string& array) {
  std::ifstream file(path, std::ios::binary);
  const std::string zip{std::istreambuf_iterator<char>(file), {}};
  const auto number = [&](std::size_t at, int bytes) {
    std::size_t value = 0;
    for (int i = bytes; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(zip.at(at + i));
    return value;
  };
  for (std::size_t at = 0; at + 30 < zip.size() && number(at, 4) == 0x04034b50;) {
    const std::string name = zip.substr(at + 30, number(at + 26, 2));
    std::size_t data = at + 30 + name.size() + number(at + 28, 2);
    z_stream stream = {};
    if (number(at + 8, 2) != Z_DEFLATED || inflateInit2(&stream, -15) != Z_OK) break;
    std::vector<std::uint8_t> content(1 << 24);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(zip.data() + data));
    stream.avail_in = static_cast<uInt>(zip.size() - data);
    stream.next_out = content.data();
    stream.avail_out = static_cast<uInt>(content.size());
    const int status = inflate(&stream, Z_FINISH);
    const std::size_t used = stream.total_in, made = stream.total_out;
    inflateEnd(&stream);
    if (status != Z_STREAM_END) break;
    at = data + used;
    if (name != array + ".npy") continue;
    content.resize(made);
    const std::size_t header = 10U + content.at(8) + 256U * content.at(9);
    content.erase(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(header));
    return content;
  }
  throw std::runtime_error(path.string() + ": no array " + array);
}

}  // namespace afterspike::testing
