#pragma once

#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "afterspike/io/json.hpp"

/// Pages with charts for human readers. Knows nothing of the subject.
namespace afterspike::report {

/// An axis of a chart.
struct Axis {
  std::string name;
  std::string unit = {};  ///< Shown as "name (unit)"; an empty unit is omitted.
  bool logarithmic = false;
  bool hidden = false;  ///< Hides numbers that have no meaning.
  bool whole = false;   ///< Ticks at whole numbers only.
  /// Ends of the axis; NaN: those of the data.
  double min = std::numeric_limits<double>::quiet_NaN();
  double max = std::numeric_limits<double>::quiet_NaN();
};

/// Named values. Values that are not finite are gaps.
struct Series {
  enum class Draw { line, points, steps };
  static constexpr int kAutomatic = -2;  ///< Each series gets the next colour.
  static constexpr int kGrey = -1;

  std::string name;
  Draw draw = Draw::line;
  std::vector<double> x, y;        ///< Equally many of each.
  std::vector<double> low, high;   ///< Ends of an interval around each y; or empty.
  std::vector<std::string> names;  ///< Name of each value; or empty.
  int color = kAutomatic;          ///< A number from 0 on; related series share one.
  bool thin = false;               ///< Draws the series in the background.
  bool listed = true;              ///< Names the series above the chart.
};

/// Curves or points over two axes.
struct Chart {
  std::string id;  ///< Letters, digits, '-': name of saved files and links.
  std::string title;
  std::string caption;  ///< Explanation for readers who do not know the chart.
  Axis x, y;
  std::vector<Series> series;
  bool wide = false;  ///< Uses the whole width of the page.
  bool tall = false;
  bool plane = false;  ///< Lines are curves in a plane: y is no function of x.
};

/// A value at each pair of places of two axes, as colour.
struct HeatMap {
  std::string id, title, caption;
  Axis x, y;
  std::vector<std::string> columns, rows;   ///< Names of the places along x and y.
  std::vector<std::vector<double>> values;  ///< values[row][column], not negative.
  std::string scale = {};                   ///< Name of the values.
  double power = 1;                         ///< Colour shows value^power; a power below 1 makes
                                            ///< small values visible.
  bool labelled = false;                    ///< Prints numbers into the cells, if there are few.
  bool first_row_on_top = true;
  bool wide = false;
  bool tall = false;
};

/// A cell of a table: text, or a number printed with four digits.
using Cell = std::variant<std::string, double>;

struct Table {
  std::string id, title, caption;
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
  std::vector<bool> differs;  ///< Marked rows; or empty.
  bool folded = false;        ///< Shown only when opened.
};

/// Text to copy.
struct Code {
  std::string title, text;
};

/// A sentence that must be noticed.
struct Note {
  std::string text;
};

using Block = std::variant<Chart, HeatMap, Table, Code, Note>;

struct Section {
  std::string id, title;
  std::vector<std::string> text;  ///< Paragraphs.
  std::vector<Block> blocks;
};

struct Document {
  std::string title, subtitle;
  std::vector<Section> sections;
  std::vector<std::string> summary = {};  ///< Sentences at the top of the page.
};

/// Returns the document for the page's script, numbers with seven digits.
io::Json to_json(const Document& document);

}  // namespace afterspike::report
