#include "network/seal.hpp"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/bytes.hpp"

namespace afterspike::spiking {
namespace {

namespace fs = std::filesystem;

std::string line_of(const std::string& checksum) {
  return fmt::format("\nafterspike-network sha256 {}\n", checksum);
}

/// Bytes of a line, whatever its checksum.
std::size_t line_size() {
  constexpr std::size_t kHexadecimal = 64;
  return line_of(std::string(kHexadecimal, '0')).size();
}

std::string sha256_of_first(std::uintmax_t size, const fs::path& path) {
  constexpr std::size_t kBlock = std::size_t{1} << 20;
  std::ifstream file(path, std::ios::binary);
  std::vector<char> block(kBlock);
  io::Sha256 digest;
  while (size > 0) {
    const auto count = static_cast<std::size_t>(std::min<std::uintmax_t>(kBlock, size));
    file.read(block.data(), static_cast<std::streamsize>(count));
    require(file.good(), ErrorKind::data, "'{}' cannot be read", path.string());
    digest.add(std::as_bytes(std::span(block).first(count)));
    size -= count;
  }
  return digest.hexadecimal();
}

/// Reads the end of a file, as long as the line of a seal.
std::string end_of(const fs::path& path, std::uintmax_t size) {
  std::ifstream file(path, std::ios::binary);
  std::string end(line_size(), '\0');
  file.seekg(static_cast<std::streamoff>(size - end.size()));
  file.read(end.data(), static_cast<std::streamsize>(end.size()));
  return file.good() ? end : "";
}

}  // namespace

void seal(const fs::path& path) {
  const std::string line = line_of(sha256_of_first(fs::file_size(path), path));
  std::ofstream file(path, std::ios::binary | std::ios::app);
  file << line << std::flush;
  require(file.good(), ErrorKind::data, "'{}' cannot be written", path.string());
}

bool check_seal(const fs::path& path) {
  std::error_code error;
  const std::uintmax_t size = fs::is_regular_file(path, error) ? fs::file_size(path, error) : 0;
  if (error || size < line_size()) return false;
  const std::string end = end_of(path, size), without = line_of("");
  if (!end.starts_with(without.substr(0, without.size() - 1))) return false;
  const std::string found = line_of(sha256_of_first(size - end.size(), path));
  require(found == end, ErrorKind::data,
          "'{}': found content of another SHA-256 than the file's last line says: it is damaged",
          path.string());
  return true;
}

}  // namespace afterspike::spiking
