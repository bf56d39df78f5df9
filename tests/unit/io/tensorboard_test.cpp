#include "afterspike/io/tensorboard.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::io {
namespace {

using testing::slurp;
using testing::TempDir;

/// CRC-32C bit by bit.
std::uint32_t plain_crc32c(std::string_view content) {
  std::uint32_t crc = ~0u;
  for (const char letter : content) {
    crc ^= static_cast<unsigned char>(letter);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
  }
  return ~crc;
}

std::uint32_t masked(std::uint32_t crc) {
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

template <typename T>
T take(std::string_view& bytes) {
  T value{};
  if (bytes.size() < sizeof value) throw std::runtime_error("a value ends too early");
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return value;
}

std::string_view take_bytes(std::string_view& bytes, std::uint64_t size) {
  if (bytes.size() < size) throw std::runtime_error("bytes end too early");
  const std::string_view taken = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return taken;
}

/// Returns the payloads of a file of records, and checks their checksums.
std::vector<std::string> records_of(const std::string& file) {
  std::vector<std::string> records;
  std::string_view rest = file;
  while (!rest.empty()) {
    const std::string_view length_bytes = rest.substr(0, 8);
    const auto length = take<std::uint64_t>(rest);
    EXPECT_EQ(take<std::uint32_t>(rest), masked(plain_crc32c(length_bytes)));
    const std::string_view payload = take_bytes(rest, length);
    EXPECT_EQ(take<std::uint32_t>(rest), masked(plain_crc32c(payload)));
    records.emplace_back(payload);
  }
  return records;
}

/// The fields of a protobuf message: numbers as they are on the wire, messages as bytes.
struct Message {
  std::multimap<int, std::uint64_t> integers;
  std::multimap<int, double> doubles;
  std::multimap<int, float> floats;
  std::multimap<int, std::string> bytes;
};

std::uint64_t take_varint(std::string_view& rest) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = take<std::uint8_t>(rest);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
}

Message decode(std::string_view rest) {
  Message message;
  while (!rest.empty()) {
    const std::uint64_t tag = take_varint(rest);
    const int number = static_cast<int>(tag >> 3);
    switch (tag & 7) {
      case 0:
        message.integers.emplace(number, take_varint(rest));
        break;
      case 1:
        message.doubles.emplace(number, take<double>(rest));
        break;
      case 2:
        message.bytes.emplace(number, take_bytes(rest, take_varint(rest)));
        break;
      case 5:
        message.floats.emplace(number, take<float>(rest));
        break;
      default:
        throw std::runtime_error("an unknown wire type");
    }
  }
  return message;
}

/// A record decoded by TensorBoard's event.proto and summary.proto.
struct Event {
  double wall_time = 0;
  std::int64_t step = 0;
  std::string file_version;
  std::vector<std::pair<std::string, float>> scalars;
  std::optional<std::uint64_t> session_status;
};

Event event_of(const std::string& record) {
  const Message message = decode(record);
  Event event;
  event.wall_time = message.doubles.find(1)->second;
  event.step = static_cast<std::int64_t>(message.integers.find(2)->second);
  if (message.bytes.contains(3)) event.file_version = message.bytes.find(3)->second;
  if (message.bytes.contains(5)) {
    const Message summary = decode(message.bytes.find(5)->second);
    for (const auto& [number, value] : summary.bytes) {
      EXPECT_EQ(number, 1);
      const Message scalar = decode(value);
      event.scalars.emplace_back(scalar.bytes.find(1)->second, scalar.floats.find(2)->second);
    }
  }
  if (message.bytes.contains(7)) {
    event.session_status = decode(message.bytes.find(7)->second).integers.find(1)->second;
  }
  return event;
}

std::vector<Event> events_of(const std::filesystem::path& path) {
  std::vector<Event> events;
  for (const std::string& record : records_of(slurp(path))) events.push_back(event_of(record));
  return events;
}

using Scalars = std::vector<std::pair<std::string, double>>;

TEST(TensorBoard, TheChecksumOfThisReaderIsCrc32c) {
  EXPECT_EQ(plain_crc32c("123456789"), 0xe3069283u);
}

TEST(TensorBoard, TheFirstRecordIsTheVersion) {
  const TempDir folder;
  const auto before = std::chrono::system_clock::now();
  const TensorBoardWriter writer(folder / "events");
  const auto events = events_of(writer.path());
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].file_version, "brain.Event:2");
  EXPECT_EQ(events[0].step, 0);
  const double began = std::chrono::duration<double>(before.time_since_epoch()).count();
  EXPECT_GE(events[0].wall_time, began - 1e-3);
  EXPECT_LT(events[0].wall_time, began + 60);
}

TEST(TensorBoard, EveryCallLeavesAFileWithAllScalarsSoFar) {
  const TempDir folder;
  TensorBoardWriter writer(folder.path());
  const std::vector<std::pair<std::int64_t, Scalars>> calls = {
      {0, {{"loss/train", 0.5}}},
      {1, {{"loss/train", 0.25}, {"Genauigkeit ä", -3}}},
      {127, {}},
      {128, {{std::string(300, 'x'), 1e-3}}},
      {std::int64_t{1} << 40, {{"big", 1e30}}}};
  for (std::size_t count = 1; count <= calls.size(); ++count) {
    writer.add(calls[count - 1].first, calls[count - 1].second);
    const auto events = events_of(writer.path());
    ASSERT_EQ(events.size(), count + 1);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(events[i + 1].step, calls[i].first);
      ASSERT_EQ(events[i + 1].scalars.size(), calls[i].second.size());
      for (std::size_t j = 0; j < calls[i].second.size(); ++j) {
        EXPECT_EQ(events[i + 1].scalars[j].first, calls[i].second[j].first);
        EXPECT_EQ(events[i + 1].scalars[j].second, static_cast<float>(calls[i].second[j].second));
      }
    }
  }
}

TEST(TensorBoard, ValuesThatAreNotFiniteAreKept) {
  const TempDir folder;
  TensorBoardWriter writer(folder.path());
  const double infinity = std::numeric_limits<double>::infinity();
  writer.add(1, Scalars{{"nan", std::nan("")}, {"inf", infinity}, {"-inf", -infinity}});
  const auto scalars = events_of(writer.path()).at(1).scalars;
  EXPECT_TRUE(std::isnan(scalars.at(0).second));
  EXPECT_EQ(scalars.at(1).second, infinity);
  EXPECT_EQ(scalars.at(2).second, -infinity);
}

TEST(TensorBoard, AResumedRunBeginsASessionAtItsStep) {
  const TempDir folder;
  for (const std::int64_t step : {0, 1, 1200}) {
    TensorBoardWriter writer(folder.path(), step);
    writer.add(step, Scalars{{"loss", 1}});
    const auto events = events_of(writer.path());
    ASSERT_EQ(events.size(), 3u);
    EXPECT_FALSE(events[0].session_status.has_value());
    EXPECT_EQ(events[1].session_status, 1u) << "START";
    EXPECT_EQ(events[1].step, step);
    EXPECT_FALSE(events[2].session_status.has_value());
  }
}

TEST(TensorBoard, NoWriterWritesOverTheFileOfAnother) {
  const TempDir folder;
  std::vector<std::filesystem::path> paths;
  for (int number = 0; number < 5; ++number) {
    TensorBoardWriter writer(folder.path());
    writer.add(number, Scalars{{"number", number}});
    paths.push_back(writer.path());
  }
  for (int number = 0; number < 5; ++number) {
    const auto& path = paths[static_cast<std::size_t>(number)];
    EXPECT_EQ(events_of(path).at(1).step, number);
    EXPECT_TRUE(path.filename().string().starts_with("events.out.tfevents.")) << path;
  }
}

TEST(TensorBoard, AFolderThatCannotBeIsNamed) {
  const TempDir folder;
  testing::spill(folder / "file", "x");
  testing::expect_error(ErrorKind::data, {(folder / "file").string(), "cannot be created"},
                        [&] { TensorBoardWriter writer(folder / "file"); });
}

}  // namespace
}  // namespace afterspike::io
