#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "afterspike/base/error.hpp"

namespace afterspike::io {

/// Returns the content of a file. Throws Error(`kind`) that names a file which is missing or
/// unreadable.
std::vector<std::uint8_t> read_file(const std::filesystem::path& path,
                                    ErrorKind kind = ErrorKind::data);

/// The text of a UTF-8 file without its byte-order mark. Throws Error(`kind`) that names a file
/// which is missing, unreadable, or in UTF-16 or UTF-32.
std::string read_text(const std::filesystem::path& path, ErrorKind kind = ErrorKind::data);

/// The content of a file that may be gzipped (told by its first two bytes, not by its name),
/// decompressed; the members of a gzip file are joined. Throws Error(data) that names file and
/// offset when it is damaged, truncated, or followed by other bytes (zeros are skipped, as gzip
/// does), and when it would grow beyond `limit` bytes.
std::vector<std::uint8_t> read_maybe_gzipped(const std::filesystem::path& path,
                                             std::size_t limit = std::size_t{1} << 32);

/// Checksums as lower-case hexadecimal text.
std::string sha256(std::span<const std::uint8_t> bytes);
std::string md5(std::span<const std::uint8_t> bytes);

/// SHA-256 of bytes that are added piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(std::span<const std::byte> bytes);
  /// Returns the checksum of all added bytes; nothing may be added after.
  std::string hexadecimal();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// SHA-256 of a file, read in blocks.
std::string sha256_of_file(const std::filesystem::path& path,
                           ErrorKind kind = ErrorKind::checkpoint);

/// CRC-32C (Castagnoli), as TensorBoard's record files use.
std::uint32_t crc32c(std::span<const std::uint8_t> bytes);

}  // namespace afterspike::io
