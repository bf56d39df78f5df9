#include "afterspike/io/safetensors.hpp"

#include <cstdint>
#include <cstring>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::io {

bool operator==(const Array& left, const Array& right) {
  return left.type == right.type && left.shape == right.shape && left.bytes == right.bytes;
}

namespace {

using testing::expect_error;
using testing::slurp;
using testing::spill;
using testing::TempDir;

template <typename T>
Array array_of(ElementType type, std::vector<std::int64_t> shape, const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {type, std::move(shape), {bytes.begin(), bytes.end()}};
}

/// Eight bytes of length, then header and data.
std::string file_of(const std::string& header, const std::string& data) {
  std::string length;
  for (int i = 0; i < 8; ++i) length += static_cast<char>(header.size() >> (8 * i) & 0xff);
  return length + header + data;
}

class Safetensors : public ::testing::Test {
 protected:
  Arrays read(const std::string& content) {
    spill(path_, content);
    return read_safetensors(path_);
  }

  TempDir folder_;
  std::filesystem::path path_ = folder_ / "a.safetensors";
};

TEST_F(Safetensors, EveryTypeAndShapeComesBack) {
  Arrays arrays;
  arrays.metadata = {{"format", "pt"}, {"ключ \"x\"", "line\nbreak"}, {"empty", ""}};
  arrays.arrays["f32"] = array_of<float>(ElementType::F32, {2, 3}, {1, -2, 0.1F, 4, 5, 1e-40F});
  arrays.arrays["f64"] = array_of<double>(ElementType::F64, {3}, {0.1, -1e300, 5e-324});
  arrays.arrays["i64"] = array_of<std::int64_t>(ElementType::I64, {1, 2}, {INT64_MIN, INT64_MAX});
  arrays.arrays["u8"] = array_of<std::uint8_t>(ElementType::U8, {5}, {0, 1, 127, 128, 255});
  arrays.arrays["scalar"] = array_of<double>(ElementType::F64, {}, {3.5});
  arrays.arrays["empty"] = array_of<float>(ElementType::F32, {0}, {});
  arrays.arrays["empty 3d"] = array_of<float>(ElementType::F32, {4, 0, 7}, {});
  arrays.arrays[""] = array_of<std::uint8_t>(ElementType::U8, {1}, {9});
  write_safetensors(path_, arrays);
  const Arrays again = read_safetensors(path_);
  EXPECT_EQ(again.metadata, arrays.metadata);
  EXPECT_EQ(again.arrays, arrays.arrays);
}

TEST_F(Safetensors, NoArraysAtAllComeBack) {
  write_safetensors(path_, {});
  EXPECT_EQ(slurp(path_), file_of("{}      ", ""));
  const Arrays again = read_safetensors(path_);
  EXPECT_TRUE(again.arrays.empty());
  EXPECT_TRUE(again.metadata.empty());
}

TEST_F(Safetensors, TheFileIsTheOneOfTheFormatByteByByte) {
  Arrays arrays;
  arrays.metadata["k"] = "v";
  arrays.arrays["b"] = array_of<std::uint8_t>(ElementType::U8, {3}, {7, 8, 9});
  arrays.arrays["a"] = array_of<float>(ElementType::F32, {1, 2}, {1.0F, -2.0F});
  write_safetensors(path_, arrays);
  const std::string header =
      R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
      R"("b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}})";
  const std::string padding(7 - (header.size() + 7) % 8, ' ');
  const std::string data("\x00\x00\x80\x3f\x00\x00\x00\xc0\x07\x08\x09", 11);
  EXPECT_EQ(slurp(path_), file_of(header + padding, data));
}

TEST_F(Safetensors, AFileOfAnotherWriterIsRead) {
  // Keys and tensors in another order, spaces, no padding, no metadata.
  const std::string header =
      R"({ "z": {"data_offsets": [0, 8], "shape": [], "dtype": "I64"},
           "a": {"shape": [2, 1], "dtype": "U8", "data_offsets": [8, 10]} })";
  const Arrays arrays = read(file_of(header, std::string("\xfe\xff\xff\xff\xff\xff\xff\xff\1\2")));
  EXPECT_EQ(arrays.arrays.at("z"), array_of<std::int64_t>(ElementType::I64, {}, {-2}));
  EXPECT_EQ(arrays.arrays.at("a"), array_of<std::uint8_t>(ElementType::U8, {2, 1}, {1, 2}));
  EXPECT_EQ(arrays.arrays.size(), 2u);
}

TEST_F(Safetensors, EveryTruncationIsFound) {
  Arrays arrays;
  arrays.arrays["a"] = array_of<double>(ElementType::F64, {2}, {1, 2});
  write_safetensors(path_, arrays);
  const std::string whole = slurp(path_);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_error(ErrorKind::checkpoint, {path_.string()}, [&] { read(whole.substr(0, size)); });
  }
  expect_error(ErrorKind::checkpoint, {"the tensors end at 16, expected 17"},
               [&] { read(whole + "x"); });
}

TEST_F(Safetensors, WhatCannotBeAFileIsRefusedAtOnce) {
  expect_error(ErrorKind::checkpoint, {path_.string(), "No such file"},
               [&] { read_safetensors(path_); });
  expect_error(ErrorKind::checkpoint,
               {path_.string() + "': not a safetensors file, or damaged: found a header length"},
               [&] { read("Once upon a time there was a text."); });
  expect_error(ErrorKind::checkpoint, {"7 bytes are too few"}, [&] { read("1234567"); });
  expect_error(ErrorKind::checkpoint, {"header length of 18446744073709551615", "expected 2"},
               [&] { read(std::string(8, '\xff') + "{}"); });
  expect_error(ErrorKind::checkpoint, {"header length of 3, expected 2 at most"},
               [&] { read(std::string("\3\0\0\0\0\0\0\0{}", 10)); });
}

struct Damage {
  std::string name, header, data, message;
};

void PrintTo(const Damage& damage, std::ostream* out) {
  *out << damage.name;
}

class Damages : public Safetensors, public ::testing::WithParamInterface<Damage> {};

TEST_F(Safetensors, TheReasonIsInPlainWords) {
  try {
    read(file_of("hello", ""));
    ADD_FAILURE() << "it is no JSON";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("not a safetensors file, or damaged"));
    EXPECT_THAT(error.what(), ::testing::Not(::testing::HasSubstr("[json.exception")));
  }
}

TEST_P(Damages, AreRefusedNamingTheFileAndTheReason) {
  expect_error(ErrorKind::checkpoint, {path_.string(), GetParam().message},
               [&] { read(file_of(GetParam().header, GetParam().data)); });
}

std::string tensor(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

Damage one(const std::string& name, const std::string& described, const std::string& message) {
  return {name, R"({"t":)" + described + "}", "12345678", "tensor 't': " + message};
}

const std::string kF32 = "\"F32\"", kU8 = "\"U8\"";

INSTANTIATE_TEST_SUITE_P(
    Headers, Damages,
    ::testing::Values(Damage{"no JSON", "hello", "", "the header is not valid JSON"},
                      Damage{"empty", "", "", "the header is not valid JSON"},
                      Damage{"cut", R"({"t":{"dtype")", "", "the header is not valid JSON"},
                      Damage{"not UTF-8", "{\"\xff\":1}", "", "the header is not valid JSON"},
                      Damage{"array", "[]", "", "the header is not a JSON object"},
                      Damage{"data of nobody", "{}", "x", "the tensors end at 0, expected 1"},
                      Damage{"tensor twice",
                             R"({"t":)" + tensor(kU8, "[1]", "[0,1]") + R"(,"t":)" +
                                 tensor(kU8, "[1]", "[0,1]") + "}",
                             "x", "the header has 't' twice"},
                      Damage{"member twice",
                             R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"shape":[1]}})",
                             "x", "the header has 'shape' twice"},
                      Damage{"metadata array", R"({"__metadata__":[]})", "",
                             "__metadata__: expected an object"},
                      Damage{"metadata number", R"({"__metadata__":{"k":3}})", "",
                             "__metadata__: 'k': found 3, expected text"}));

INSTANTIATE_TEST_SUITE_P(
    Tensors, Damages,
    ::testing::Values(
        one("number", "3", "expected an object, found 3"),
        one("no dtype", R"({"shape":[8],"data_offsets":[0,8]})", "expected a member 'dtype'"),
        one("no shape", R"({"dtype":"U8","data_offsets":[0,8]})", "expected a member 'shape'"),
        one("no offsets", R"({"dtype":"U8","shape":[8]})", "expected a member 'data_offsets'"),
        one("unknown member", R"({"dtype":"U8","shape":[8],"data_offsets":[0,8],"x":1})",
            "unknown member 'x'"),
        one("unknown dtype", tensor("\"BF16\"", "[4]", "[0,8]"),
            "found dtype \"BF16\", expected F32, F64, I64 or U8"),
        one("dtype number", tensor("3", "[2]", "[0,8]"), "expected a member 'dtype' that is text"),
        one("wrong dtype", tensor("\"F64\"", "[2]", "[0,8]"), "found 8 bytes of data, expected 16"),
        one("shape text", tensor(kF32, "\"2\"", "[0,8]"), "expected a member 'shape' that is an"),
        one("shape negative", tensor(kF32, "[-2]", "[0,8]"), "shape: found -2"),
        one("shape fraction", tensor(kF32, "[2.0]", "[0,8]"), "shape: found 2.0"),
        one("shape beyond int64", tensor(kF32, "[9223372036854775808]", "[0,8]"),
            "shape: found 9223372036854775808"),
        // 2^62 x 2 x 4 bytes and 2^32 x 2^32 x 4 bytes are 0 in 64 bits.
        one("shape overflow", tensor(kF32, "[4611686018427387904,4]", "[0,0]"),
            "found shape [4611686018427387904, 4], which is beyond 64 bits"),
        one("shape overflow to size", tensor(kF32, "[4294967296,4294967296]", "[0,0]"),
            "found shape [4294967296, 4294967296], which is beyond 64 bits"),
        one("shape too small", tensor(kF32, "[1]", "[0,8]"), "found 8 bytes of data, expected 4"),
        one("shape too large", tensor(kF32, "[3]", "[0,8]"), "found 8 bytes of data, expected 12"),
        one("scalar too large", tensor(kF32, "[]", "[0,8]"), "found 8 bytes of data, expected 4"),
        one("one offset", tensor(kU8, "[8]", "[0]"), "found 1 data_offsets, expected 2"),
        one("negative offset", tensor(kU8, "[8]", "[-1,7]"), "data_offsets: found -1"),
        one("offsets reversed", tensor(kU8, "[8]", "[8,0]"), "found data_offsets [8, 0]"),
        one("end beyond file", tensor(kU8, "[9]", "[0,9]"),
            "found data_offsets [0, 9], expected them within the 8 bytes of data"),
        one("both beyond file", tensor(kU8, "[1]", "[9000000000000000000,9000000000000000001]"),
            "found data_offsets [9000000000000000000, 9000000000000000001], expected"),
        one("gap before", tensor(kU8, "[7]", "[1,8]"), "its data begins at 1, expected 0: gap")));

Damage two(const std::string& name, const std::string& first, const std::string& second,
           const std::string& message) {
  return {name, R"({"s":)" + first + R"(,"t":)" + second + "}", "12345678", message};
}

INSTANTIATE_TEST_SUITE_P(
    Layouts, Damages,
    ::testing::Values(two("overlap", tensor(kU8, "[5]", "[0,5]"), tensor(kU8, "[4]", "[4,8]"),
                          "tensor 't': its data begins at 4, expected 5: overlap"),
                      two("same place", tensor(kU8, "[8]", "[0,8]"), tensor(kU8, "[8]", "[0,8]"),
                          "tensor 't': its data begins at 0, expected 8: overlap"),
                      two("gap", tensor(kU8, "[3]", "[0,3]"), tensor(kU8, "[4]", "[4,8]"),
                          "tensor 't': its data begins at 4, expected 3: gap"),
                      two("rest", tensor(kU8, "[3]", "[0,3]"), tensor(kU8, "[4]", "[3,7]"),
                          "the tensors end at 7, expected 8")));

TEST_F(Safetensors, ArraysThatContradictThemselvesAreOurMistake) {
  const auto write = [&](const std::string& name, const Array& array) {
    write_safetensors(path_, {{{name, array}}, {}});
  };
  const Array good = array_of<float>(ElementType::F32, {2}, {1, 2});
  expect_error(ErrorKind::internal, {"tensor 'a': 8 bytes do not fit shape [3] of F32"}, [&] {
    write("a", {good.type, {3}, good.bytes});
  });
  expect_error(ErrorKind::internal, {"do not fit shape [-1, -2]"}, [&] {
    write("a", {good.type, {-1, -2}, good.bytes});
  });
  expect_error(ErrorKind::internal, {"no tensor may be called '__metadata__'"},
               [&] { write("__metadata__", good); });
  expect_error(ErrorKind::internal, {"not UTF-8"}, [&] { write("\xff", good); });
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST(SafetensorsDisk, AFullDiskIsReported) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "there is no /dev/full";
  expect_error(ErrorKind::checkpoint, {"'/dev/full' cannot be written", "No space left"},
               [] { write_safetensors("/dev/full", {}); });
}

TEST_F(Safetensors, ADeepHeaderIsRefused) {
  for (const std::string member : {R"({"a":)", R"({"__metadata__":)"}) {
    const std::string header = member + std::string(100'000, '[') + std::string(100'000, ']') + "}";
    const std::uint64_t length = header.size();
    const testing::TempDir folder;
    testing::spill(folder / "deep.safetensors",
                   std::string(reinterpret_cast<const char*>(&length), sizeof length) + header);
    testing::expect_error(ErrorKind::checkpoint, {"deep.safetensors", "more than 100 levels"},
                          [&] { read_safetensors(folder / "deep.safetensors"); });
  }
}

}  // namespace
}  // namespace afterspike::io
