#include "afterspike/report/page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"
#include "unit/report/documents.hpp"

namespace afterspike::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

/// Returns the text between two texts of the page.
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const auto from = text.find(begin) + begin.size();
  return text.substr(from, text.find(end, from) - from);
}

/// The page without its own scripts.
std::string markup(const std::string& html) {
  return html.substr(0, html.find("<script>"));
}

TEST(Page, HasItsOwnScriptsOnlyWhateverTheNames) {
  for (const std::string& name : {std::string("plain"), testing::kHostile}) {
    const std::string html = page(testing::document_of(name));
    EXPECT_EQ(count(html, "<script"), 4U) << name;
    EXPECT_EQ(count(html, "</script"), 4U) << name;
    EXPECT_EQ(count(markup(html), "<img"), 0U) << name;
    EXPECT_EQ(count(markup(html), "<!--"), 0U) << name;
  }
}

TEST(Page, HoldsTheDocumentToTheByte) {
  const Document document = testing::document_of(testing::kHostile);
  const std::string html = page(document);
  const std::string data = between(html, "id=\"data\">", "</script>");
  EXPECT_EQ(io::Json::parse(data), to_json(document));
}

TEST(Page, SurvivesTextThatIsNoUtf8) {
  const std::string html = page(testing::document_of("broken \xff\xfe name"));
  EXPECT_NO_THROW(io::Json::parse(between(html, "id=\"data\">", "</script>")));
}

TEST(Page, NamesNoAddressAndForbidsToLoadAnything) {
  const std::string html = page(testing::document_of("name"));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  EXPECT_THAT(html, Not(HasSubstr("src=\"http")));
  EXPECT_THAT(html, Not(HasSubstr("href=\"http")));
  EXPECT_THAT(html, Not(HasSubstr("unsafe-eval")));
}

TEST(Page, IsTheSameForTheSameDocument) {
  EXPECT_EQ(page(testing::document_of("a")), page(testing::document_of("a")));
}

TEST(Page, IsWrittenWholeOrNotAtAll) {
  const testing::TempDir directory;
  write_page(directory / "report.html", testing::document_of("name"));
  EXPECT_EQ(testing::slurp(directory / "report.html"), page(testing::document_of("name")));
  testing::expect_error(ErrorKind::data, {"none"}, [&] {
    write_page(directory / "none" / "report.html", testing::document_of("name"));
  });
}

}  // namespace
}  // namespace afterspike::report
