// Files and pages of studies, and a short study of every model.

#include "afterspike/single_neuron/study_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include <fmt/format.h>

#include "afterspike/io/table.hpp"
#include "support/browser.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::single_neuron {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

Study short_study(const char* model, const char* preset = "") {
  StudyOptions options;
  options.duration_ms = 200;
  options.frequencies_hz = {30};
  options.trials = 4;
  return study(make_neuron(model, preset), options);
}

TEST(StudyFiles, AreReadBack) {
  const testing::TempDir directory;
  const Study found = short_study("fitzhugh_nagumo");
  write_study(directory / "study", found, "afterspike neuron");
  std::istringstream names{std::string(kStudyFiles)};
  std::size_t count = 0;
  for (std::string name; names >> name; ++count) {
    EXPECT_TRUE(fs::exists(directory / "study" / name)) << name;
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(directory / "study"), {}),
            static_cast<std::ptrdiff_t>(count));
  const io::Table trace = io::read_csv(directory / "study" / "trace.csv");
  EXPECT_EQ(trace.columns, (std::vector<std::string>{"time_ms", "current", "V", "w", "I_syn"}));
  EXPECT_EQ(trace.rows.size(), found.step.recorded.times_ms.size());
  EXPECT_EQ(trace.rows[300][2], found.step.recorded.traces[0].values[300]);
  EXPECT_EQ(trace.rows[300][1], found.step.current);
  EXPECT_EQ(trace.rows[100][1], 0);
  const io::Table curve = io::read_csv(directory / "study" / "fi_curve.csv", "", io::Gaps::allowed);
  EXPECT_EQ(curve.rows.size(), found.fi.currents.size());
  EXPECT_TRUE(std::isnan(curve.rows[0].back())) << "no latency without a spike";
  EXPECT_THAT(testing::slurp(directory / "study" / "fixed_points.csv"), HasSubstr("stable focus"));
  EXPECT_EQ(io::Json::parse(testing::slurp(directory / "study" / "summary.json")),
            summary_of(found));
}

TEST(StudyFiles, NameUnits) {
  const testing::TempDir directory;
  write_study(directory / "study", short_study("aeif_psc_exp"), "");
  EXPECT_THAT(testing::slurp(directory / "study" / "trace.csv"),
              HasSubstr("time_ms,current_pA,V_mV,w_pA,"));
  EXPECT_THAT(testing::slurp(directory / "study" / "impedance.csv"),
              HasSubstr("frequency_Hz,gain_mV_per_pA,phase_deg"));
}

TEST(StudyFiles, AreTheSameForTheSameSeed) {
  EXPECT_EQ(summary_of(short_study("gif_psc_exp")).dump(),
            summary_of(short_study("gif_psc_exp")).dump());
}

TEST(Study, WorksForEveryModelThatTakesACurrent) {
  std::size_t studied = 0;
  for (const spiking::ModelEntry& entry : spiking::models()) {
    if (entry.model.current_unit.empty()) continue;
    SCOPED_TRACE(entry.name);
    const Study found = short_study(std::string(entry.name).c_str());
    EXPECT_TRUE(found.rheobase.current) << "every default neuron has one";
    EXPECT_GT(found.fi.currents.size(), 20U);
    double highest = 0;
    for (const Rates& rates : found.fi.rates) highest = std::max(highest, rates.mean_per_s);
    EXPECT_GT(highest, 1);
    const report::Document document = document_of(found, "");
    EXPECT_GE(document.sections.size(), 3U);
    EXPECT_FALSE(report::to_json(document).dump().empty());
    ++studied;
  }
  EXPECT_GE(studied, 31U);
}

/// Whether labels of an axis lie on each other, in a chart of the page.
constexpr const char* kOverlaps =
    "[...document.querySelectorAll('figure')].filter(f => {"
    "  const boxes = [...f.querySelectorAll('.chart svg text')].map(t => "
    "t.getBoundingClientRect()).filter(b => b.width > 0);"
    "  return boxes.some((a, i) => boxes.some((b, j) => j > i && a.left < b.right - 1 && b.left < "
    "a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2)); }).map(f => f.id)";

TEST(StudyPage, DrawsEveryChartWithoutOverlap) {
  if (!testing::Browser::program()) GTEST_SKIP() << "chromium is not installed";
  const testing::TempDir directory;
  testing::Browser browser(directory.path());
  for (const auto& [model, preset, charts] :
       {std::tuple("aeif_psc_exp", "regular_bursting", 11), {"gif_psc_exp", "", 10}}) {
    const fs::path out = directory / model;
    write_study(out, short_study(model, preset), "afterspike neuron");
    browser.open(out / "report.html", 1200);
    ASSERT_EQ(browser.evaluate("document.documentElement.dataset.ready"), "true");
    EXPECT_EQ(browser.evaluate("document.querySelectorAll('figure').length"), charts) << model;
    EXPECT_EQ(browser.evaluate("[...document.querySelectorAll('figure')].filter(f => "
                               "f.querySelectorAll('.chart svg path').length < 4).map(f => f.id)"),
              io::Json::array())
        << model;
    EXPECT_EQ(browser.evaluate(kOverlaps), io::Json::array()) << model;
  }
}

}  // namespace
}  // namespace afterspike::single_neuron
