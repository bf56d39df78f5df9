#include "afterspike/io/bytes.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::io {
namespace {

using testing::expect_error;
using testing::spill;
using testing::TempDir;

std::span<const std::uint8_t> bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string text(const std::vector<std::uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

std::string little_endian(std::uint32_t value, int size) {
  std::string result;
  for (int i = 0; i < size; ++i) result += static_cast<char>(value >> (8 * i) & 0xff);
  return result;
}

/// CRC-32 bit by bit, as in RFC 1952.
std::uint32_t crc32(std::string_view content) {
  std::uint32_t crc = ~0u;
  for (const char letter : content) {
    crc ^= static_cast<unsigned char>(letter);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
  }
  return ~crc;
}

/// Writes a gzip file by hand, with stored (uncompressed) blocks (RFC 1951, 3.2.4).
std::string stored_gzip(std::string_view content) {
  std::string file("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
  const std::string trailer = little_endian(crc32(content), 4) +
                              little_endian(static_cast<std::uint32_t>(content.size()), 4);
  do {
    const std::string_view block = content.substr(0, 65535);
    content.remove_prefix(block.size());
    const auto size = static_cast<std::uint32_t>(block.size());
    file += content.empty() ? '\1' : '\0';
    file += little_endian(size, 2) + little_endian(~size, 2) + std::string(block);
  } while (!content.empty());
  return file + trailer;
}

/// gzip's output for "hello hello hello\n".
const std::string kHello(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x90\x5c\x00\x3b\x7c"
    "\x8a\xdf\x12\x00\x00\x00",
    29);

class Bytes : public ::testing::Test {
 protected:
  std::string read_gzipped(std::string_view content, std::size_t limit = 1 << 24) {
    spill(path_, content);
    return text(read_maybe_gzipped(path_, limit));
  }

  void expect_damaged(std::string_view content, const std::string& message) {
    expect_error(ErrorKind::data, {path_.string(), "offset ", message},
                 [&] { read_gzipped(content); });
  }

  TempDir folder_;
  std::filesystem::path path_ = folder_ / "a";
};

TEST(Sha256, OfPiecesIsThatOfTheWhole) {
  const std::vector<std::uint8_t> bytes = {1, 2, 3, 4, 5};
  const auto all = std::as_bytes(std::span(bytes));
  Sha256 pieces;
  pieces.add(all.first(2));
  pieces.add({});
  pieces.add(all.subspan(2));
  EXPECT_EQ(pieces.hexadecimal(), sha256(bytes));
}

TEST_F(Bytes, ReadFileGivesEveryByte) {
  std::string content;
  for (int i = 0; i < 100000; ++i) content += static_cast<char>(i % 251 * 3);
  for (const std::string& what : {content, std::string(), std::string("\0\n\r\xff", 4)}) {
    spill(path_, what);
    EXPECT_EQ(text(read_file(path_)), what);
  }
}

TEST_F(Bytes, AMissingFileIsAnErrorOfTheKindAskedFor) {
  expect_error(ErrorKind::config, {path_.string(), "No such file"},
               [&] { read_file(path_, ErrorKind::config); });
  expect_error(ErrorKind::data, {path_.string(), "No such file"},
               [&] { read_maybe_gzipped(path_); });
  expect_error(ErrorKind::checkpoint, {path_.string(), "No such file"},
               [&] { sha256_of_file(path_); });
}

TEST_F(Bytes, PlainFilesComeAsTheyAre) {
  for (const std::string what : {"", "\x1f", "plain", "\x8b\x1f"}) {
    EXPECT_EQ(read_gzipped(what), what);
  }
}

TEST_F(Bytes, GzippedFilesAreDecompressed) {
  EXPECT_EQ(read_gzipped(kHello), "hello hello hello\n");
  std::string large;
  for (int i = 0; i < 3'000'000; ++i) large += static_cast<char>(i * 7 % 253);
  EXPECT_EQ(read_gzipped(stored_gzip(large)), large);
  EXPECT_EQ(read_gzipped(stored_gzip("")), "");
}

TEST_F(Bytes, EveryTruncationOfGzippedDataIsFound) {
  for (std::size_t size = 2; size < kHello.size(); ++size) {
    expect_damaged(kHello.substr(0, size), "ends too early");
  }
}

TEST_F(Bytes, DamagedGzipDataAreFound) {
  const auto with = [](std::size_t at, char byte) {
    std::string damaged = kHello;
    damaged[at] = byte;
    return damaged;
  };
  expect_damaged(with(2, 7), "damaged gzip data (unknown compression method)");
  expect_damaged(with(10, '\xff'), "damaged gzip data (invalid block type)");
  expect_damaged(with(12, '\0'), "damaged gzip data");
  expect_damaged(with(22, '\0'), "damaged gzip data (incorrect data check)");
  expect_damaged(with(25, '\0'), "damaged gzip data (incorrect length check)");
  expect_damaged(kHello + "x", "offset 29: 1 bytes after the end");
}

TEST_F(Bytes, MembersOfAGzipFileAreJoined) {
  const std::string hello = "hello hello hello\n";
  EXPECT_EQ(read_gzipped(kHello + kHello), hello + hello);
  EXPECT_EQ(read_gzipped(kHello + stored_gzip("") + stored_gzip("end")), hello + "end");
  // Tapes and some downloads pad with zeros.
  EXPECT_EQ(read_gzipped(kHello + std::string(512, '\0')), hello);
  expect_damaged(kHello + kHello.substr(0, 20), "offset 49: the gzip data ends too early");
  expect_damaged(kHello + kHello + "x", "offset 58: 1 bytes after the end");
  expect_error(ErrorKind::data, {path_.string(), "expected 35 at most"},
               [&] { read_gzipped(kHello + kHello, 35); });
}

TEST_F(Bytes, TextIsReadWithoutItsMarkAndOnlyInUtf8) {
  const auto read = [&](std::string_view content) {
    spill(path_, content);
    return read_text(path_);
  };
  EXPECT_EQ(read("\xef\xbb\xbf"
                 "a\n"),
            "a\n");
  EXPECT_EQ(read(""), "");
  using namespace std::string_literals;
  for (const std::string& wide : {"\xff\xfe"
                                  "a\0"s,
                                  "\xfe\xff\0a"s, "a\0,\0"s, "\0a\0,"s}) {
    expect_error(ErrorKind::data, {path_.string(), "UTF-16", "expected UTF-8"},
                 [&] { read(wide); });
  }
}

TEST_F(Bytes, ContentBeyondTheLimitIsRefused) {
  const std::string content(100000, 'x');
  EXPECT_EQ(read_gzipped(stored_gzip(content), 100000).size(), 100000u);
  EXPECT_EQ(read_gzipped(content, 100000).size(), 100000u);
  for (const std::string& file : {stored_gzip(content), content}) {
    expect_error(ErrorKind::data, {path_.string(), "expected 99999 at most"},
                 [&] { read_gzipped(file, 99999); });
  }
}

TEST_F(Bytes, ChecksumsAreThePublishedOnes) {
  EXPECT_EQ(sha256(bytes("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(md5(bytes("abc")), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(md5({}), "d41d8cd98f00b204e9800998ecf8427e");
  // RFC 3720, B.4, and the check value of the catalogue of CRCs.
  EXPECT_EQ(crc32c(bytes("123456789")), 0xe3069283u);
  EXPECT_EQ(crc32c(std::vector<std::uint8_t>(32, 0)), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::vector<std::uint8_t>(32, 0xff)), 0x62a8ab43u);
  EXPECT_EQ(crc32c({}), 0u);
}

TEST_F(Bytes, TheChecksumOfAFileIsThatOfItsContent) {
  // FIPS 180-2, C.3: a million times 'a', read in more than one block with a rest.
  const std::string million(1'000'000, 'a');
  spill(path_, million);
  EXPECT_EQ(sha256_of_file(path_),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  const std::string more = million + million + "b";
  spill(path_, more);
  EXPECT_EQ(sha256_of_file(path_), sha256(bytes(more)));
}

/// To open a FIFO for reading would wait for a writer.
TEST(ReadFile, RefusesAPipe) {
  const TempDir folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  expect_error(ErrorKind::checkpoint, {"pipe", "found a device or a pipe"},
               [&] { read_file(folder / "pipe", ErrorKind::checkpoint); });
  expect_error(ErrorKind::data, {"pipe", "found a device or a pipe"},
               [&] { sha256_of_file(folder / "pipe", ErrorKind::data); });
}

}  // namespace
}  // namespace afterspike::io
