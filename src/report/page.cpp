#include "afterspike/report/page.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "afterspike/io/atomic.hpp"
#include "afterspike/io/bytes.hpp"

namespace afterspike::report {
namespace {

#include "report_assets.inc"

constexpr std::string_view kStyle(page_css, sizeof page_css - 1);
constexpr std::string_view kFigures(figures_js, sizeof figures_js - 1);
constexpr std::string_view kScript(page_js, sizeof page_js - 1);
constexpr std::string_view kCharts(charts_min_js, sizeof charts_min_js - 1);

constexpr std::string_view kSkeleton = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="afterspike">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<a class="skip" href="#content">To the content</a>
<header><h1 id="title"></h1><ul class="summary" id="summary"></ul><p class="subtitle" id="subtitle"></p></header>
<nav aria-label="Sections"><ul id="menu"></ul></nav>
<main id="content"><noscript><p>This page draws its charts with a script, which is switched off here.</p></noscript></main>
<footer><p>Hide a series by its name above a chart. Zoom: drag across a chart, or put the keyboard on it and press
+ &minus; and the arrow keys; 0 or a double click shows the whole range. SVG and CSV save a chart and its data.
Made by afterspike; charts by Apache ECharts (Apache License 2.0).</p></footer>
<script type="application/json" id="data">{data}</script>
<script>{charts}</script>
<script>{figures}</script>
<script>{script}</script>
</body>
</html>
)";

std::string base64(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < 3; ++i) word = word << 8 | (i < count ? bytes[at + i] : 0U);
    for (std::size_t i = 0; i < 4; ++i) {
      text += i <= count ? kDigits[word >> (18 - 6 * i) & 63] : '=';
    }
  }
  return text;
}

/// Returns a script's name in a content security policy: 'sha256-...'.
std::string source_of(std::string_view script) {
  const std::string hexadecimal =
      io::sha256(std::span(reinterpret_cast<const std::uint8_t*>(script.data()), script.size()));
  std::array<std::uint8_t, 32> digest{};
  for (std::size_t i = 0; i < digest.size(); ++i) {
    std::from_chars(&hexadecimal[2 * i], &hexadecimal[2 * i] + 2, digest[i], 16);
  }
  return fmt::format("'sha256-{}'", base64(digest));
}

/// Returns JSON that cannot end an element: "</script" cannot occur without '<'. Invalid UTF-8 is
/// replaced.
std::string embedded(const io::Json& json) {
  const std::string text = json.dump(-1, ' ', false, io::Json::error_handler_t::replace);
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    if (c == '<') {
      result += "\\u003c";
    } else {
      result += c;
    }
  }
  return result;
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace

std::string page(const Document& document) {
  const std::string policy = fmt::format(
      "default-src 'none'; script-src {} {} {}; style-src 'unsafe-inline'; img-src data: blob:; "
      "base-uri 'none'; form-action 'none'",
      source_of(kCharts), source_of(kFigures), source_of(kScript));
  return fmt::format(fmt::runtime(kSkeleton), fmt::arg("policy", policy),
                     fmt::arg("title", escaped(document.title)), fmt::arg("style", kStyle),
                     fmt::arg("data", embedded(to_json(document))), fmt::arg("charts", kCharts),
                     fmt::arg("figures", kFigures), fmt::arg("script", kScript));
}

void write_page(const std::filesystem::path& path, const Document& document) {
  io::write_file(path, page(document));
}

}  // namespace afterspike::report
