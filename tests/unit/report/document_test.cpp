#include "afterspike/report/document.hpp"

#include <gtest/gtest.h>

#include "unit/report/documents.hpp"

namespace afterspike::report {
namespace {

TEST(Document, SaysWhatIsThereAndLeavesOutWhatIsNot) {
  const io::Json json = to_json(testing::document_of("name"));
  const io::Json& blocks = json["sections"][0]["blocks"];
  ASSERT_EQ(blocks.size(), 5U);
  EXPECT_EQ(blocks[0]["kind"], "xy");
  EXPECT_EQ(blocks[0]["y"]["log"], true);
  EXPECT_EQ(blocks[0]["x"]["unit"], "name");
  EXPECT_EQ(blocks[0]["series"][0]["low"].size(), 20U);
  EXPECT_FALSE(blocks[0]["series"][2].contains("low"));
  EXPECT_EQ(blocks[1]["series"][0]["draw"], "points");
  EXPECT_EQ(blocks[3]["kind"], "heat");
  EXPECT_EQ(blocks[3]["values"][1][0], 2);
  EXPECT_EQ(json["sections"][1]["blocks"][0]["rows"][0], (io::Json{"name", 1.25}));
}

TEST(Document, AxesWithoutUnitHaveNone) {
  Chart chart;
  chart.x = {"epoch"};
  const io::Json json = to_json({"", "", {{"s", "", {}, {chart}}}});
  EXPECT_FALSE(json["sections"][0]["blocks"][0]["x"].contains("unit"));
}

TEST(Document, AxesHaveTheEndsThatAreGiven) {
  Chart chart;
  chart.x = {"V", "mV"};
  chart.x.min = -80;
  chart.plane = true;
  const io::Json block = to_json({"", "", {{"s", "", {}, {chart}}}})["sections"][0]["blocks"][0];
  EXPECT_EQ(block["x"]["min"], -80);
  EXPECT_FALSE(block["x"].contains("max"));
  EXPECT_FALSE(block["y"].contains("min"));
  EXPECT_EQ(block["plane"], true);
}

TEST(Document, NumbersHaveSevenDigitsAndGapsAreNull) {
  Chart chart;
  Series series;
  series.x = {1, 2, 3, 4};
  series.y = {1.0 / 3, std::numeric_limits<double>::quiet_NaN(),
              -std::numeric_limits<double>::infinity(), 1e300};
  chart.series = {series};
  const io::Json y =
      to_json({"", "", {{"s", "", {}, {chart}}}})["sections"][0]["blocks"][0]["series"][0]["y"];
  EXPECT_EQ(y[0].get<double>(), 0.3333333);
  EXPECT_TRUE(y[1].is_null());
  EXPECT_TRUE(y[2].is_null());
  EXPECT_EQ(y[3].get<double>(), 1e300);
}

}  // namespace
}  // namespace afterspike::report
