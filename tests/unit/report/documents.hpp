#pragma once

#include <cmath>
#include <limits>
#include <string>

#include "afterspike/report/document.hpp"

namespace afterspike::testing {

/// Would break out of a script element, an attribute and a text.
inline const std::string kHostile =
    "</script><img src=x onerror=\"document.documentElement.dataset.harmed = 1\">'\"&<!--{title}";

/// Returns every kind of block, with `name` in place of any user's text.
inline report::Document document_of(const std::string& name) {
  report::Chart lines{"lines", name, name, {name, name}, {name, name, true}, {}};
  for (const char* suffix : {": a", ": b", ": c"}) {
    report::Series series;
    series.name = name + suffix;
    for (int i = 1; i <= 20; ++i) {
      series.x.push_back(i);
      series.y.push_back(std::exp(-0.1 * i) + 0.1 * series.name.back());
      series.low.push_back(series.y.back() * 0.9);
      series.high.push_back(series.y.back() * 1.1);
    }
    lines.series.push_back(series);
  }
  lines.series[2].low.clear();
  lines.series[2].high.clear();
  lines.series[2].y[7] = std::numeric_limits<double>::quiet_NaN();
  report::Chart points = lines;
  points.id = "points";
  points.y.logarithmic = false;
  for (report::Series& series : points.series) {
    series.draw = report::Series::Draw::points;
    series.low.clear();
    series.high.clear();
    series.names.assign(series.x.size(), name);
  }
  report::Chart steps = points;
  steps.id = "steps";
  for (report::Series& series : steps.series) series.draw = report::Series::Draw::steps;
  report::HeatMap map{"map",       name,       name, {name, name}, {name, name},
                      {"0", name}, {"0", "1"}, {},   name};
  map.values = {{10, 1}, {2, 20}};
  map.labelled = true;
  report::HeatMap large = map;
  large.id = "large";
  large.rows.assign(60, "r");
  large.columns.assign(60, "c");
  large.values.assign(60, std::vector<double>(60, 0.5));
  large.values[3][4] = 1;
  const report::Table table{"table",       name, name, {name, "value"}, {{name, 1.25}, {"b", 1e-9}},
                            {true, false}, false};
  return {name,
          name,
          {{"charts", name, {name}, {lines, points, steps, map, large}},
           {"text", "Text", {}, {table, report::Code{name, name}, report::Note{name}}}}};
}

}  // namespace afterspike::testing
