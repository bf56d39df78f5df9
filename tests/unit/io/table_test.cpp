#include "afterspike/io/table.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "afterspike/base/rng.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::io {
namespace {

using testing::expect_error;
using testing::slurp;
using testing::spill;

class Tables : public ::testing::Test {
 protected:
  Table read(const std::string& content) {
    spill(path_, content);
    return read_csv(path_);
  }

  testing::TempDir folder_;
  std::filesystem::path path_ = folder_ / "a.csv";
};

TEST_F(Tables, EveryFiniteDoubleComesBack) {
  Rng rng(1);
  Table table{{"a", "with, comma", "with \"quotes\"", " blanks ", "Größe_mV"}, {}};
  std::vector<double> numbers = {0.0,    -0.0,   0.1,     1e22,
                                 -1e300, 5e-324, 1.0 / 3, std::numeric_limits<double>::max()};
  while (numbers.size() < 5000) {
    const std::uint64_t bits = rng.next();
    double number = 0;
    std::memcpy(&number, &bits, sizeof number);
    if (std::isfinite(number)) numbers.push_back(number);
  }
  for (std::size_t i = 0; i < numbers.size(); i += 5) {
    table.rows.emplace_back(numbers.begin() + static_cast<std::ptrdiff_t>(i),
                            numbers.begin() + static_cast<std::ptrdiff_t>(i + 5));
  }
  write_csv(path_, table);
  const Table again = read_csv(path_);
  EXPECT_EQ(again.columns, table.columns);
  ASSERT_EQ(again.rows.size(), table.rows.size());
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    ASSERT_EQ(again.rows[i].size(), 5u);
    ASSERT_EQ(std::memcmp(again.rows[i].data(), table.rows[i].data(), 5 * sizeof(double)), 0) << i;
  }
}

TEST_F(Tables, TheFileIsPlainText) {
  write_csv(path_, {{"time_ms", "V, mV"}, {{0.05, -70}, {1, 1e-7}}});
  EXPECT_EQ(slurp(path_), "time_ms,\"V, mV\"\n0.05,-70\n1,1e-07\n");
}

TEST_F(Tables, OtherWritersFilesAreRead) {
  const Table expected{{"a", "b c"}, {{1, -2.5}, {3000, 4}}};
  for (const std::string content :
       {"a,b c\n1,-2.5\n3e3,4\n", "a,b c\r\n1,-2.5\r\n3e3,4\r\n", "a,b c\n1,-2.5\n3e3,4",
        "\xef\xbb\xbf"
        "a,b c\n1,-2.5\n3e3,4\n\n \n",
        "\"a\" , \"b c\"\n 1 ,\t-2.5\n3e3, 4\n"}) {
    const Table table = read(content);
    EXPECT_EQ(table.columns, expected.columns) << content;
    EXPECT_EQ(table.rows, expected.rows) << content;
  }
  EXPECT_TRUE(read("a\n").rows.empty());
  EXPECT_EQ(read("\"say \"\"x\"\"\"\n1\n").columns, std::vector<std::string>{"say \"x\""});
}

TEST_F(Tables, EmptyCellsAreGapsWhereTheyMayBe) {
  testing::spill(path_, "epoch,auc,loss\n1,,0.5\n2,0.75,\n");
  const Table table = read_csv(path_, "epoch", Gaps::allowed);
  EXPECT_TRUE(std::isnan(table.rows[0][1]));
  EXPECT_EQ(table.rows[0][2], 0.5);
  EXPECT_EQ(table.rows[1][1], 0.75);
  EXPECT_TRUE(std::isnan(table.rows[1][2]));
  expect_error(ErrorKind::data, {"line 2, column 2 ('auc'): found ''"}, [&] { read_csv(path_); });
  testing::spill(path_, "epoch,auc\n1,x\n");
  expect_error(ErrorKind::data, {"found 'x'"}, [&] { read_csv(path_, "", Gaps::allowed); });
}

TEST_F(Tables, WhatIsNotATableIsRefusedWithLineAndColumn) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "expected a line with the names"},
      {"\n\n", "expected a line with the names"},
      {"a,,c\n", "line 1, column 2: expected a name"},
      {"a,\n", "line 1, column 2: expected a name"},
      {"a,b,a\n", "line 1, column 3: 'a' is there twice"},
      {"a,\"b\n1,2\n", "line 1, column 2: its quotes are out of order"},
      {"\"a\"x,b\n", "line 1, column 1: its quotes are out of order"},
      {"a,b\n1,2\n3,x\n", "line 3, column 2 ('b'): found 'x', expected a number"},
      {"a,b\n1,\n", "line 2, column 2 ('b'): found '', expected a number"},
      {"a,b\n,1\n", "line 2, column 1 ('a'): found '', expected a number"},
      {"a,b\n1,2x\n", "line 2, column 2 ('b'): found '2x'"},
      {"a,b\n1,nan\n", "line 2, column 2 ('b'): found 'nan'"},
      {"a,b\ninf,1\n", "line 2, column 1 ('a'): found 'inf'"},
      {"a,b\n1e999,1\n", "line 2, column 1 ('a'): found '1e999'"},
      {"a,b\n0x1,1\n", "line 2, column 1 ('a'): found '0x1'"},
      {"a,b\n1;2\n", "line 2, column 1 ('a'): found '1;2'"},
      {"a,b\n1\n", "line 2: found 1 columns, expected 2"},
      {"a,b\n1,2,3\n", "line 2: found more than 2 columns"},
      {"a,b\n1,2,\n", "line 2: found more than 2 columns"},
      {"a,b\n1,2\n\n3,4\n", "line 3, column 1 ('a'): found ''"},
  };
  for (const auto& [content, message] : cases) {
    expect_error(ErrorKind::data, {path_.string(), message}, [&, &text = content] { read(text); });
  }
  expect_error(ErrorKind::data, {"absent.csv", "No such file"},
               [&] { read_csv(folder_ / "absent.csv"); });
}

TEST_F(Tables, PlusSignsAreRead) {
  EXPECT_EQ(read("a,b\n+0.110,+4.1e-02\n-1,+3\n").rows,
            (std::vector<std::vector<double>>{{0.11, 0.041}, {-1, 3}}));
  for (const char* wrong : {"+", "++1", "+-1", "-+1"}) {
    expect_error(ErrorKind::data, {fmt::format("found '{}'", wrong), "expected a number"},
                 [&] { read(fmt::format("a\n{}\n", wrong)); });
  }
}

TEST_F(Tables, AnIndexOfPandasIsLeftOut) {
  const Table table = read(",a,b\n0,1.5,2\n1,3,4\n");
  EXPECT_EQ(table.columns, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(table.rows, (std::vector<std::vector<double>>{{1.5, 2}, {3, 4}}));
  EXPECT_EQ(read("\"\",a\n0,7\n").columns, std::vector<std::string>{"a"});
  expect_error(ErrorKind::data, {"line 1, column 1: expected a name", "to_csv(index=False)"},
               [&] { read(",a\n5,1\n6,2\n"); });
}

TEST_F(Tables, OtherSeparatorsAndEncodingsAreNamed) {
  expect_error(ErrorKind::data, {"line 1: columns are separated by semicolons, expected commas"},
               [&] { read("sequence;input_a\n0;0,5\n"); });
  expect_error(ErrorKind::data, {"line 1: columns are separated by tabs, expected commas"},
               [&] { read("sequence\tinput_a\n0\t0.5\n"); });
  expect_error(ErrorKind::data, {"found '2.0 ext', expected a number. Separate columns by commas."},
               [&] { read("time who\n2.0 ext\n"); });
  expect_error(ErrorKind::data, {"found text in UTF-16", "expected UTF-8"}, [&] {
    read(
        std::string("\xff\xfe"
                    "a\0\n\0"
                    "1\0\n\0",
                    10));
  });
  // Bytes of Latin-1 do not reach the terminal.
  expect_error(ErrorKind::data, {"found '\\xfcber', expected a number"}, [&] {
    read(
        "a\n\xfc"
        "ber\n");
  });
  EXPECT_EQ(shown("\xe4"), "\\xe4");
  EXPECT_EQ(shown("\xc3\xa4\xff\xf0\x9f\x99\x82"), "\xc3\xa4\\xff\xf0\x9f\x99\x82");
}

TEST_F(Tables, ColumnsMayHoldTextsWhereTheyAreExpected) {
  constexpr std::string_view kTexts[] = {"label", "sequence"};
  const auto read_texts = [&](const std::string& content) {
    spill(path_, content);
    return read_csv(path_, "sequence", Gaps::refused, kTexts);
  };
  const Table table =
      read_texts("sequence,label,x\nc2,right,1\nc2,right,2\nc1,\"up, left\",3\nb,12,4\n");
  EXPECT_EQ(table.texts.at("label"), (std::vector<std::string>{"12", "right", "up, left"}));
  EXPECT_EQ(table.texts.at("sequence"), (std::vector<std::string>{"b", "c1", "c2"}));
  EXPECT_EQ(table.rows,
            (std::vector<std::vector<double>>{{2, 1, 1}, {2, 1, 2}, {1, 2, 3}, {0, 0, 4}}));
  EXPECT_TRUE(read_texts("sequence,label\n1,2\n").texts.empty());
  // A column that begins with numbers holds numbers, and nothing stands for one.
  for (const char* wrong : {"1\nx\n", "\n1\n", "nan\n", "inf\n", "1x\n"}) {
    expect_error(ErrorKind::data, {"('label'): found '", "expected a number"},
                 [&] { read_texts(fmt::format("label\n{}", wrong)); });
  }
  expect_error(ErrorKind::data, {"line 3, column 2 ('label'): found ' ', expected a text"},
               [&] { read_texts("x,label\n1,up\n2, \n"); });
}

TEST_F(Tables, CellsAreShownShortAndWithoutControlBytes) {
  const std::string sixty(60, 'x');
  EXPECT_EQ(shown("plain, Größe"), "plain, Größe");
  EXPECT_EQ(shown(sixty), sixty);
  EXPECT_EQ(shown(sixty + "y"), sixty + "...");
  EXPECT_EQ(shown("\x1b[2J\r\t\x7f"), "\\x1b[2J\\x0d\\x09\\x7f");
  EXPECT_EQ(shown(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(shown(std::string(59, 'x') + "\xc3\xb6"), std::string(59, 'x') + "...")
      << "no letter is cut in two";
  expect_error(ErrorKind::data, {"found '" + sixty + "...', expected a number"},
               [&] { read("a\n" + std::string(100'000, 'x') + "\n"); });
  expect_error(ErrorKind::data, {"column 1 ('\\x1b'): found '\\x1bc', expected"}, [&] {
    read(
        "\x1b\n\x1b"
        "c\n");
  });
}

TEST_F(Tables, WhatCouldNotBeReadBackIsNotWritten) {
  const double nan = std::nan("");
  expect_error(ErrorKind::numeric, {path_.string(), "row 2, column 'b': nan is not finite"}, [&] {
    write_csv(path_, {{"a", "b"}, {{1, 2}, {3, nan}}});
  });
  expect_error(ErrorKind::internal, {"row 1 has 1 values, expected 2"}, [&] {
    write_csv(path_, {{"a", "b"}, {{1}}});
  });
  for (const std::vector<std::string>& names :
       {std::vector<std::string>{"a", "a"}, {"a", ""}, {"a\nb"}, {}}) {
    expect_error(ErrorKind::internal, {path_.string()}, [&] { write_csv(path_, {names, {}}); });
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace afterspike::io
