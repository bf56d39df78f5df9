// The page in a headless Chromium.

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "afterspike/report/page.hpp"
#include "support/browser.hpp"
#include "support/temp_dir.hpp"
#include "unit/report/documents.hpp"

namespace afterspike::report {
namespace {

using testing::Browser;

constexpr int kDesk = 1200, kPhone = 360;

class InBrowser : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Browser::program()) GTEST_SKIP() << "chromium is not installed";
    browser_.emplace(directory_.path());
  }

  void show(const std::string& name, int width = kDesk) {
    write_page(directory_ / "report.html", testing::document_of(name));
    browser_->open(directory_ / "report.html", width);
    ASSERT_EQ(browser_->evaluate("document.documentElement.dataset.ready"), "true");
  }

  io::Json evaluate(const std::string& expression) { return browser_->evaluate(expression); }

  /// Returns the number of shapes in a chart.
  int shapes(const char* figure) {
    return evaluate(fmt::format("document.querySelectorAll('#{} .chart svg path').length", figure))
        .get<int>();
  }

  testing::TempDir directory_;
  std::optional<Browser> browser_;
};

TEST_F(InBrowser, OpensWithoutErrorsAndLoadsNothing) {
  show("name");
  const std::string page = "file://" + (directory_ / "report.html").string();
  for (const io::Json& event : browser_->events()) {
    const auto method = event["method"].get<std::string>();
    EXPECT_NE(method, "Runtime.exceptionThrown") << event.dump();
    EXPECT_NE(method, "Runtime.consoleAPICalled") << event.dump();
    EXPECT_NE(method, "Log.entryAdded") << event.dump();
    if (method != "Network.requestWillBeSent") continue;
    const auto url = event["params"]["request"]["url"].get<std::string>();
    EXPECT_TRUE(url == page || url.starts_with("data:")) << url;
  }
  EXPECT_EQ(evaluate("performance.getEntriesByType('resource').length"), 0);
}

TEST_F(InBrowser, EveryChartHasMarksAndWordsForThem) {
  show("name");
  EXPECT_EQ(evaluate("document.querySelectorAll('figure').length"), 5);
  for (const char* figure : {"lines", "points", "steps", "map"}) {
    EXPECT_GT(shapes(figure), 3) << figure;
  }
  // Many cells become a picture, with more than one colour in it.
  EXPECT_GT(evaluate("(() => { const c = document.querySelector('#large canvas'); const d = "
                     "c.getContext('2d').getImageData(0, 0, c.width, c.height).data; const s = new "
                     "Set(); for (let i = 0; i < d.length; i += 4) s.add(d[i] + 256 * d[i + 1]); "
                     "return s.size; })()")
                .get<int>(),
            3);
  EXPECT_EQ(evaluate("[...document.querySelectorAll('.chart')].every(c => "
                     "c.getAttribute('aria-label').length > 40 && c.tabIndex === 0)"),
            true);
}

TEST_F(InBrowser, AClickHidesASeriesAndAnotherShowsIt) {
  show("name");
  for (const char* figure : {"lines", "points", "steps"}) {
    const int before = shapes(figure);
    const std::string button = fmt::format("document.querySelector('#{} .legend button')", figure);
    browser_->point(button, true);
    EXPECT_EQ(evaluate(button + ".getAttribute('aria-pressed')"), "false");
    EXPECT_LT(shapes(figure), before) << figure;
    browser_->point(button, true);
    EXPECT_EQ(shapes(figure), before) << figure;
  }
}

TEST_F(InBrowser, HostileNamesAreText) {
  show(testing::kHostile);
  EXPECT_EQ(evaluate("document.querySelectorAll('img').length"), 0);
  EXPECT_EQ(evaluate("document.title"), testing::kHostile);
  EXPECT_EQ(evaluate("document.querySelector('#map h3').textContent"), testing::kHostile);
  for (const char* figure : {"lines", "points", "map"}) {
    browser_->point(fmt::format("document.querySelector('#{} .chart')", figure), false);
    evaluate("new Promise(done => setTimeout(done, 200))");
  }
  EXPECT_GT(evaluate("document.querySelectorAll('.tip').length").get<int>(), 0);
  browser_->point("document.querySelector('#points summary')", true);
  evaluate("new Promise(done => setTimeout(done, 100))");
  EXPECT_GT(evaluate("document.querySelectorAll('#points tbody tr').length").get<int>(), 3);
  EXPECT_EQ(evaluate("document.querySelectorAll('img').length"), 0);
  EXPECT_TRUE(evaluate("document.documentElement.dataset.harmed").is_null());
}

TEST_F(InBrowser, TellsSeriesOfOneNameApart) {
  Chart chart{"twins", "Twins", "", {"epoch"}, {"loss"}, {}};
  for (const double value : {1.25, 3.5}) {
    Series series;
    series.name = "run";
    series.x = {1, 2, 3};
    series.y = {value, value, value};
    series.low = {value - 0.125, value - 0.125, value - 0.125};
    series.high = {value + 0.125, value + 0.125, value + 0.125};
    chart.series.push_back(series);
  }
  write_page(directory_ / "twins.html", {"Twins", "", {{"s", "S", {}, {chart}}}});
  browser_->open(directory_ / "twins.html", kDesk);
  browser_->point("document.querySelector('#twins .chart')", false);
  evaluate("new Promise(done => setTimeout(done, 200))");
  EXPECT_EQ(evaluate("[...document.querySelectorAll('.tip div')].map(row => row.textContent)"),
            (io::Json{"run: 1.25 [1.125, 1.375]", "run: 3.5 [3.375, 3.625]"}));
}

TEST_F(InBrowser, PrintsNothingClipped) {
  constexpr int kPaper = 718;  // A4 less its margins, in pixels of 1/96 inch.
  show("a name that is long_enough_to_need_several_lines_on_paper/and/has/no/blanks/to/break/at",
       kPaper);
  browser_->print_media();
  evaluate("dispatchEvent(new Event('beforeprint'))");
  evaluate("new Promise(done => setTimeout(done, 300))");
  EXPECT_EQ(evaluate("getComputedStyle(document.querySelector('nav')).display"), "none");
  // Selects elements wider than their box or the paper.
  EXPECT_EQ(evaluate(fmt::format(
                "[...document.querySelectorAll('body *')].filter(e => {{ const r = "
                "e.getBoundingClientRect(); const s = getComputedStyle(e); return r.width > 0 && "
                "s.position !== 'absolute' && (r.right > {0} + 1 || (s.overflowX !== 'visible' && "
                "e.scrollWidth > e.clientWidth + 1) || (s.overflowY !== 'visible' && "
                "e.scrollHeight > e.clientHeight + 1)); }}).map(e => e.tagName + '.' + "
                "e.className)",
                kPaper)),
            io::Json::array());
  const io::Json pdf = browser_->call("Page.printToPDF");
  EXPECT_TRUE(pdf.at("data").get<std::string>().starts_with("JVBERi0")) << "no PDF";
}

TEST_F(InBrowser, SavesChartsAndTheirData) {
  show(testing::kHostile);
  evaluate(
      "window.saved = []; URL.createObjectURL = blob => { window.saved.push(blob); return "
      "'#'; }; HTMLAnchorElement.prototype.click = () => {}; 0");
  evaluate("document.querySelectorAll('.tools button').forEach(b => b.click())");
  const io::Json texts = evaluate("Promise.all(window.saved.map(b => b.text()))");
  int pictures = 0, tables = 0;
  for (const io::Json& text : texts) {
    const auto content = text.get<std::string>();
    if (content.starts_with("<svg")) {
      ++pictures;
      EXPECT_EQ(evaluate(fmt::format("new DOMParser().parseFromString({}, 'image/svg+xml')"
                                     ".querySelectorAll('parsererror, img, script').length",
                                     text.dump())),
                0);
    } else {
      ++tables;
    }
  }
  EXPECT_EQ(pictures, 5);
  EXPECT_EQ(tables, 6);
}

TEST_F(InBrowser, TheKeyboardZoomsAndShowsTheWholeAgain) {
  show("name");
  const std::string hidden = "document.querySelector('#lines .tools').lastChild.hidden";
  EXPECT_EQ(evaluate(hidden), true);
  evaluate("document.querySelector('#lines .chart').focus()");
  browser_->press("+");
  EXPECT_EQ(evaluate(hidden), false);
  browser_->press("0");
  EXPECT_EQ(evaluate(hidden), true);
}

TEST_F(InBrowser, FitsAPhoneAndADarkRoom) {
  show("name");
  const io::Json paper = evaluate("getComputedStyle(document.body).backgroundColor");
  const std::string light = browser_->screenshot();
  EXPECT_TRUE(light.starts_with("iVBORw0KGgo")) << "no PNG";
  browser_->prefer_dark(true);
  evaluate("new Promise(done => setTimeout(done, 300))");
  EXPECT_NE(evaluate("getComputedStyle(document.body).backgroundColor"), paper);
  EXPECT_NE(browser_->screenshot(), light);
  show("a name that is long enough to need several lines on a small screen", kPhone);
  EXPECT_LE(evaluate("document.documentElement.scrollWidth").get<int>(), kPhone);
}

}  // namespace
}  // namespace afterspike::report
