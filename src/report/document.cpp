#include "afterspike/report/document.hpp"

#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

namespace afterspike::report {
namespace {

using io::Json;

/// Rounds to seven digits, more than a screen shows; values that are not finite become null.
Json number(double value) {
  if (!std::isfinite(value)) return nullptr;
  if (value == std::floor(value) && std::abs(value) < 1e15) return static_cast<std::int64_t>(value);
  // strtod() rather than stod(), which throws for numbers below the smallest normal one.
  return std::strtod(fmt::format("{:.7g}", value).c_str(), nullptr);
}

Json numbers(const std::vector<double>& values) {
  Json result = Json::array();
  for (const double value : values) result.push_back(number(value));
  return result;
}

Json describe(const Axis& axis) {
  Json result = {{"name", axis.name}};
  if (!axis.unit.empty()) result["unit"] = axis.unit;
  if (axis.logarithmic) result["log"] = true;
  if (axis.hidden) result["hidden"] = true;
  if (axis.whole) result["whole"] = true;
  if (std::isfinite(axis.min)) result["min"] = number(axis.min);
  if (std::isfinite(axis.max)) result["max"] = number(axis.max);
  return result;
}

const char* draw_name(Series::Draw draw) {
  switch (draw) {
    case Series::Draw::points:
      return "points";
    case Series::Draw::steps:
      return "steps";
    default:
      return "line";
  }
}

Json describe(const Series& series) {
  Json result = {{"name", series.name},
                 {"draw", draw_name(series.draw)},
                 {"x", numbers(series.x)},
                 {"y", numbers(series.y)}};
  if (!series.low.empty()) result["low"] = numbers(series.low);
  if (!series.low.empty()) result["high"] = numbers(series.high);
  if (!series.names.empty()) result["names"] = series.names;
  if (series.color != Series::kAutomatic) result["color"] = series.color;
  if (series.thin) result["thin"] = true;
  if (!series.listed) result["unlisted"] = true;
  return result;
}

/// Common members of charts and maps.
template <typename Figure>
Json describe_figure(const Figure& figure) {
  Json result = {{"type", "figure"},          {"id", figure.id},         {"title", figure.title},
                 {"caption", figure.caption}, {"x", describe(figure.x)}, {"y", describe(figure.y)}};
  if (figure.wide) result["wide"] = true;
  if (figure.tall) result["tall"] = true;
  return result;
}

Json describe(const Chart& chart) {
  Json result = describe_figure(chart);
  result["kind"] = "xy";
  if (chart.plane) result["plane"] = true;
  result["series"] = Json::array();
  for (const Series& series : chart.series) result["series"].push_back(describe(series));
  return result;
}

Json describe(const HeatMap& map) {
  Json result = describe_figure(map);
  result["kind"] = "heat";
  result["x"]["values"] = map.columns;
  result["y"]["values"] = map.rows;
  if (map.first_row_on_top) result["y"]["inverse"] = true;
  result["scale"] = map.scale;
  result["power"] = map.power;
  if (map.labelled) result["labelled"] = true;
  result["values"] = Json::array();
  for (const auto& row : map.values) result["values"].push_back(numbers(row));
  return result;
}

Json describe(const Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return number(std::get<double>(cell));
}

Json describe(const Table& table) {
  Json rows = Json::array();
  for (const auto& row : table.rows) {
    Json cells = Json::array();
    for (const Cell& cell : row) cells.push_back(describe(cell));
    rows.push_back(std::move(cells));
  }
  Json result = {{"type", "table"},          {"id", table.id},           {"title", table.title},
                 {"caption", table.caption}, {"columns", table.columns}, {"rows", std::move(rows)},
                 {"folded", table.folded}};
  if (!table.differs.empty()) result["differs"] = table.differs;
  return result;
}

Json describe(const Code& code) {
  return {{"type", "code"}, {"title", code.title}, {"text", code.text}};
}

Json describe(const Note& note) {
  return {{"type", "note"}, {"text", note.text}};
}

}  // namespace

Json to_json(const Document& document) {
  Json sections = Json::array();
  for (const Section& section : document.sections) {
    Json blocks = Json::array();
    for (const Block& block : section.blocks) {
      blocks.push_back(std::visit([](const auto& own) { return describe(own); }, block));
    }
    sections.push_back({{"id", section.id},
                        {"title", section.title},
                        {"text", section.text},
                        {"blocks", std::move(blocks)}});
  }
  return {{"title", document.title},
          {"subtitle", document.subtitle},
          {"summary", document.summary},
          {"sections", sections}};
}

}  // namespace afterspike::report
