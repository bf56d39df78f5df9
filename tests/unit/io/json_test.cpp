#include "afterspike/io/json.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::io {
namespace {

using testing::expect_error;
using testing::spill;
using testing::TempDir;

TEST(Json, KeysKeepTheOrderOfTheFile) {
  const TempDir folder;
  const std::string text = R"({"z":1,"a":{"y":2,"b":[true,null,"ä",0.1]},"m":-3})";
  spill(folder / "a.json", text);
  EXPECT_EQ(read_json(folder / "a.json", ErrorKind::data).dump(), text);
}

TEST(Json, DamagedFilesAreRefusedWithTheOffset) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "offset 1"},
      {"{\"a\": 1", "offset 8"},
      {"{\"a\": }", "offset 7"},
      {"[1, 2] 3", "offset 8"},
      {"{\"a\": nan}", "offset 8"},
      {"\"\xff\"", "offset 2"},
      {"[1e999]", "not valid JSON"},
  };
  const TempDir folder;
  for (const auto& [text, message] : cases) {
    spill(folder / "a.json", text);
    expect_error(ErrorKind::checkpoint, {(folder / "a.json").string(), message, "not valid JSON"},
                 [&] { read_json(folder / "a.json", ErrorKind::checkpoint); });
  }
  expect_error(ErrorKind::data, {"absent.json", "cannot be opened", "No such file"},
               [&] { read_json(folder / "absent.json", ErrorKind::data); });
  expect_error(ErrorKind::data, {folder.path().string(), "expected a file"},
               [&] { read_json(folder.path(), ErrorKind::data); });
}

template <typename T>
T read_member(const std::string& text) {
  return member<T>(Json::parse(text), "a", "manifest", ErrorKind::checkpoint);
}

template <typename T>
void expect_refused(const std::string& value) {
  expect_error(ErrorKind::checkpoint, {"manifest: member 'a' is of another type", value},
               [&] { read_member<T>("{\"a\":" + value + "}"); });
}

TEST(Json, MembersComeAsTheTypeThatIsAskedFor) {
  EXPECT_EQ(read_member<std::string>(R"({"a": "x"})"), "x");
  EXPECT_EQ(read_member<std::int64_t>(R"({"a": -3})"), -3);
  EXPECT_EQ(read_member<std::uint64_t>(R"({"a": 18446744073709551615})"), ~std::uint64_t{0});
  EXPECT_EQ(read_member<double>(R"({"a": 3})"), 3.0);
  EXPECT_TRUE(read_member<bool>(R"({"a": true})"));
  EXPECT_EQ(read_member<std::vector<std::int64_t>>(R"({"a": [1, -2]})"),
            (std::vector<std::int64_t>{1, -2}));
  EXPECT_EQ(read_member<std::vector<std::string>>(R"({"a": ["x"]})"),
            std::vector<std::string>{"x"});
  EXPECT_EQ(read_member<Json>(R"({"a": {"b": 1}})")["b"], 1);
}

TEST(Json, MembersOfAnotherTypeAreRefusedRatherThanConverted) {
  expect_refused<std::int64_t>("1.5");
  expect_refused<std::int64_t>("true");
  expect_refused<std::int64_t>("9223372036854775808");
  expect_refused<std::int64_t>("\"3\"");
  expect_refused<std::uint64_t>("-1");
  expect_refused<std::int32_t>("2147483648");
  expect_refused<double>("true");
  expect_refused<double>("null");
  expect_refused<bool>("1");
  expect_refused<std::string>("3");
  expect_refused<std::vector<std::int64_t>>("[1,2.5]");
  expect_refused<std::vector<double>>("3");
  expect_refused<std::vector<std::string>>("[\"x\",1]");
}

TEST(Json, AMissingMemberIsRefused) {
  for (const char* text : {"{}", R"({"b": 1})", "[1]", "3"}) {
    expect_error(ErrorKind::checkpoint, {"manifest: member 'a' is missing"},
                 [&] { read_member<double>(text); });
  }
}

std::string nested(std::size_t levels, const std::string& open = "[",
                   const std::string& close = "]") {
  std::string text;
  for (std::size_t i = 0; i < levels; ++i) text += open;
  for (std::size_t i = 0; i < levels; ++i) text += close;
  return text;
}

/// Deep values would exhaust the stack where they are copied, compared or written.
TEST(Json, IsReadToADepthOf100) {
  const TempDir folder;
  spill(folder / "a.json", nested(100));
  EXPECT_EQ(read_json(folder / "a.json", ErrorKind::data).dump(), nested(100));
  for (const std::string& text :
       {nested(101), nested(1'000'000), "{\"a\":" + nested(100) + "}",
        nested(200, "{\"a\":[", "]}"), std::string(100'000, '['), std::string(200, '{')}) {
    spill(folder / "a.json", text);
    expect_error(ErrorKind::checkpoint, {"a.json", "offset", "more than 100 levels"},
                 [&] { read_json(folder / "a.json", ErrorKind::checkpoint); });
  }
  // Brackets within strings are none.
  const std::string brackets = R"({"[[[\\\"[[[":")" + std::string(500, '[') + R"(\"{{{"})";
  EXPECT_EQ(parse_json(brackets, "text", ErrorKind::data).size(), 1U);
}

std::string object_of(int members) {
  std::string text = "{";
  for (int i = 0; i < members; ++i) {
    text += fmt::format("{}\"k{}\":{{\"a\":1}}", i > 0 ? "," : "", i);
  }
  return text + "}";
}

/// Lookup in an ordered_json is linear: 40,000 members took seconds.
TEST(Json, HasObjectsOf10000Members) {
  EXPECT_EQ(parse_json(object_of(10'000), "text", ErrorKind::data).size(), 10'000U);
  expect_error(ErrorKind::data, {"text: offset", "more than 10000 members"},
               [] { parse_json(object_of(10'001), "text", ErrorKind::data); });
}

TEST(Json, RefusedMembersAreShownShortened) {
  const Json value = {{"a", std::string(1000, 'x')}};
  try {
    member<int>(value, "a", "file", ErrorKind::data);
    FAIL();
  } catch (const Error& error) {
    EXPECT_LT(std::string(error.what()).size(), 400U);
  }
}

}  // namespace
}  // namespace afterspike::io
