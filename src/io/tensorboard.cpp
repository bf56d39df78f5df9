#include "afterspike/io/tensorboard.hpp"

#include <unistd.h>

#include <array>
#include <bit>
#include <chrono>
#include <cstring>
#include <system_error>

#include "afterspike/base/error.hpp"
#include "afterspike/io/bytes.hpp"
#include "file.hpp"

namespace afterspike::io {
namespace {

double wall_time_s() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

std::string host_name() {
  std::array<char, 256> name{};
  const bool known = ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0';
  return known ? name.data() : "localhost";
}

/// Returns the little-endian bytes of a number.
template <typename T>
std::string bytes_of(T value) {
  static_assert(std::endian::native == std::endian::little);
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

// Fields of a protobuf message: number and wire type in one varint, then the value.

std::string integer_field(unsigned number, std::int64_t value) {
  return varint(number << 3) + varint(static_cast<std::uint64_t>(value));
}

std::string double_field(unsigned number, double value) {
  return varint(number << 3 | 1) + bytes_of(value);
}

std::string float_field(unsigned number, float value) {
  return varint(number << 3 | 5) + bytes_of(value);
}

std::string bytes_field(unsigned number, std::string_view content) {
  return varint(number << 3 | 2) + varint(content.size()) + std::string(content);
}

// Field numbers of TensorFlow's event.proto and summary.proto.
constexpr unsigned kEventWallTime = 1, kEventStep = 2, kEventFileVersion = 3, kEventSummary = 5,
                   kEventSessionLog = 7;
constexpr unsigned kSummaryValue = 1, kValueTag = 1, kValueSimple = 2;
constexpr unsigned kSessionLogStatus = 1;
constexpr std::int64_t kSessionLogStart = 1;

std::string event(std::int64_t step, const std::string& what) {
  return double_field(kEventWallTime, wall_time_s()) + integer_field(kEventStep, step) + what;
}

/// TFRecord's checksum: rotated and shifted, because a CRC of data containing CRCs is weak.
std::uint32_t masked_crc32c(std::string_view bytes) {
  const std::uint32_t crc =
      crc32c({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  return std::rotr(crc, 15) + 0xa282ead8u;
}

}  // namespace

TensorBoardWriter::TensorBoardWriter(const std::filesystem::path& directory,
                                     std::int64_t resumed_at) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  require(!error, ErrorKind::data, "'{}' cannot be created: {}", directory.string(),
          error.message());
  const std::string stem = fmt::format("events.out.tfevents.{:010}.{}.",
                                       static_cast<std::int64_t>(wall_time_s()), host_name());
  int number = 0;
  do {
    path_ = directory / (stem + std::to_string(number++));
  } while (std::filesystem::exists(path_));
  { const File created(path_, File::Mode::create, ErrorKind::data); }
  try {
    record(event(0, bytes_field(kEventFileVersion, "brain.Event:2")));
  } catch (const Error&) {
    std::filesystem::remove(path_, error);
    throw;
  }
  if (resumed_at < 0) return;
  const std::string start = integer_field(kSessionLogStatus, kSessionLogStart);
  record(event(resumed_at, bytes_field(kEventSessionLog, start)));
}

void TensorBoardWriter::add(std::int64_t step,
                            std::span<const std::pair<std::string, double>> scalars) {
  std::string summary;
  for (const auto& [tag, value] : scalars) {
    const std::string scalar =
        bytes_field(kValueTag, tag) + float_field(kValueSimple, static_cast<float>(value));
    summary += bytes_field(kSummaryValue, scalar);
  }
  record(event(step, bytes_field(kEventSummary, summary)));
}

void TensorBoardWriter::record(const std::string& event) {
  const std::string length = bytes_of(std::uint64_t{event.size()});
  const std::string frame =
      length + bytes_of(masked_crc32c(length)) + event + bytes_of(masked_crc32c(event));
  File(path_, File::Mode::append, ErrorKind::data).write(frame);
}

}  // namespace afterspike::io
