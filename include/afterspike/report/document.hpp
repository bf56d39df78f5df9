#pragma once

#include <string>
#include <variant>
#include <vector>

#include "afterspike/io/json.hpp"

/// Pages with charts for people. Knows nothing of what is shown.
namespace afterspike::report {

/// An axis of a chart.
struct Axis {
  std::string name;
  std::string unit = {};  ///< Shown as "name (unit)"; an empty unit is left out.
  bool logarithmic = false;
  bool hidden = false;  ///< Without numbers, where they mean nothing.
};

/// Values by one name. Values that are not finite are gaps.
struct Series {
  enum class Draw { line, points, steps };
  static constexpr int kAutomatic = -2;  ///< Each series another colour, in their order.
  static constexpr int kGrey = -1;

  std::string name;
  Draw draw = Draw::line;
  std::vector<double> x, y;        ///< As many of each.
  std::vector<double> low, high;   ///< Ends of an interval around each y; or empty.
  std::vector<std::string> names;  ///< Of each value; or empty.
  int color = kAutomatic;          ///< A number from 0 on: series that belong together share one.
  bool thin = false;               ///< For what is in the background.
};

/// Curves or points over two axes.
struct Chart {
  std::string id;  ///< Letters, digits, '-': of files that are saved, and of links.
  std::string title;
  std::string caption;  ///< What is seen, for those who do not know it.
  Axis x, y;
  std::vector<Series> series;
  bool wide = false;  ///< The whole width of the page.
  bool tall = false;
};

/// A value for each place of two axes, as colour.
struct HeatMap {
  std::string id, title, caption;
  Axis x, y;
  std::vector<std::string> columns, rows;   ///< Names of the places along x and y.
  std::vector<std::vector<double>> values;  ///< values[row][column], not negative.
  std::string scale = {};                   ///< What the values are.
  double power = 1;                         ///< Colour shows value^power; below 1 little shows too.
  bool labelled = false;                    ///< Numbers in the cells, where there are few.
  bool first_row_on_top = true;
  bool wide = false;
  bool tall = false;
};

/// A cell of a table: text, or a number that is shown with four digits.
using Cell = std::variant<std::string, double>;

struct Table {
  std::string id, title, caption;
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
  std::vector<bool> differs;  ///< Rows that are marked; or empty.
  bool folded = false;        ///< Shown when it is opened.
};

/// Text to be copied.
struct Code {
  std::string title, text;
};

/// A sentence that must not be overlooked.
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
};

/// The document as the page's script reads it, numbers with seven digits.
io::Json to_json(const Document& document);

}  // namespace afterspike::report
