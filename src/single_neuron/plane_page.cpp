#include <algorithm>
#include <cmath>
#include <map>

#include "charts.hpp"

namespace afterspike::single_neuron {

using report::Axis;
using report::Chart;
using report::Section;
using report::Series;
using report::Table;

namespace {

Axis plane_axis(const PhasePlane& plane, std::size_t variable) {
  return axis_between(plane.names[variable], shown(plane.units[variable]), plane.box.low[variable],
                      plane.box.high[variable]);
}

/// Curves with gaps between them.
Series joined(const std::string& name, const std::vector<Polyline>& curves, int color) {
  Series series = series_of(name, {}, {}, color);
  for (const Polyline& curve : curves) {
    for (const auto& [x, y] : curve) {
      series.x.push_back(x);
      series.y.push_back(y);
    }
    series.x.push_back(kGap);
    series.y.push_back(kGap);
  }
  return series;
}

/// Arrows of the flow; angles and lengths are those on a wide, tall chart.
Series flow_of(const PhasePlane& plane) {
  constexpr double kWidth = 1060, kHeight = 360, kLength = 0.7, kHead = 5, kAngle = 2.6;
  Series series = series_of("flow", {}, {}, Series::kGrey);
  series.thin = true;
  const double wide = plane.box.width(0) / kWidth, high = plane.box.width(1) / kHeight;
  for (const auto& [x, y, dx, dy] : plane.arrows) {
    const double sx = dx * kWidth * kLength, sy = dy * kHeight * kLength;
    const double tip_x = x + 0.5 * sx * wide, tip_y = y + 0.5 * sy * high;
    const auto add = [&](double right, double up) {
      series.x.push_back(tip_x + right * wide);
      series.y.push_back(tip_y + up * high);
    };
    const double angle = std::atan2(sy, sx);
    add(-sx, -sy);
    add(0, 0);
    add(kHead * std::cos(angle + kAngle), kHead * std::sin(angle + kAngle));
    add(0, 0);
    add(kHead * std::cos(angle - kAngle), kHead * std::sin(angle - kAngle));
    add(kGap, kGap);
  }
  return series;
}

/// The trajectory, with gaps where a spike resets it: the first variable falls within its step.
Series trajectory_of(const Study& study) {
  const Recorded& recorded = study.step.recorded;
  const auto &x = recorded.traces[0].values, &y = recorded.traces[1].values;
  const auto& spikes = recorded.spikes_ms.front();
  auto spike = spikes.begin();
  Series series = series_of("trajectory", {}, {}, kBlue);
  for (std::size_t at = 0; at < x.size(); ++at) {
    const double end = recorded.times_ms[at] + 0.5 * study.neuron.dt_ms;
    const bool spiked = spike != spikes.end() && *spike < end;
    while (spike != spikes.end() && *spike < end) ++spike;
    if (spiked && at > 0 && x[at] < x[at - 1]) {
      series.x.push_back(kGap);
      series.y.push_back(kGap);
    }
    series.x.push_back(x[at]);
    series.y.push_back(y[at]);
  }
  return series;
}

Series points_of(const std::string& name, const std::vector<FixedPoint>& points, bool stable,
                 int color) {
  Series series = series_of(name, {}, {}, color, Series::Draw::points);
  for (const FixedPoint& point : points) {
    if (point.is_stable() != stable) continue;
    series.x.push_back(point.x[0]);
    series.y.push_back(point.variables == 1 ? 0 : point.x[1]);
    series.names.emplace_back(point.kind());
  }
  return series;
}

void add_points(const PhasePlane& plane, const std::string& current, Chart& chart) {
  const auto add = [&](Series series) {
    if (!series.x.empty()) chart.series.push_back(std::move(series));
  };
  add(points_of("stable at rest", plane.rest, true, kDark));
  add(points_of("unstable at rest", plane.rest, false, kDarkToo));
  add(points_of("stable at " + current, plane.driven, true, kGreen));
  add(points_of("unstable at " + current, plane.driven, false, kPink));
}

Chart plane_chart(const Study& study) {
  const PhasePlane& plane = *study.plane;
  const std::string current = with_unit(study.step.current, study.neuron.current_unit());
  Chart chart;
  chart.id = "plane";
  chart.title = "Phase plane";
  chart.caption = fmt::format(
      "Nullclines, flow and trajectory at {}; the thin curve is the {} nullcline without current.",
      current, plane.names[0]);
  chart.x = plane_axis(plane, 0);
  chart.y = plane_axis(plane, 1);
  chart.wide = chart.tall = chart.plane = true;
  chart.series.push_back(flow_of(plane));
  Series rest =
      joined(plane.names[0] + " nullcline without current", plane.rest_nullclines[0], kOrange);
  rest.thin = true;
  chart.series.push_back(std::move(rest));
  chart.series.push_back(
      joined(plane.names[0] + " nullcline", plane.driven_nullclines[0], kOrange));
  chart.series.push_back(joined(plane.names[1] + " nullcline", plane.driven_nullclines[1], kGreen));
  chart.series.push_back(trajectory_of(study));
  add_points(plane, current, chart);
  return chart;
}

/// dx/dt against the only variable. Runaways at the ends are cut.
Chart line_chart(const Study& study) {
  const PhasePlane& plane = *study.plane;
  const std::string current = with_unit(study.step.current, study.neuron.current_unit());
  Series zero = series_of("0", {plane.box.low[0], plane.box.high[0]}, {0, 0}, Series::kGrey);
  Series rest = series_of("without current", {}, {}, kOrange);
  Series driven = series_of("at " + current, {}, {}, kBlue);
  std::vector<double> sizes;
  for (const auto& [x, without, with] : plane.line) {
    rest.x.push_back(x);
    driven.x.push_back(x);
    rest.y.push_back(without);
    driven.y.push_back(with);
    sizes.push_back(std::max(std::abs(without), std::abs(with)));
  }
  std::nth_element(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2),
                   sizes.end());
  const double most = 3 * sizes[sizes.size() / 2];
  Chart chart;
  chart.id = "line";
  chart.title = "Phase line";
  chart.caption = "The variable grows where its derivative is above 0.";
  chart.x = plane_axis(plane, 0);
  chart.y =
      axis_between(fmt::format("d{}/dt", plane.names[0]), plane.units[0] + "/ms", -most, most);
  chart.wide = chart.plane = true;
  chart.series = {zero, rest, driven};
  add_points(plane, current, chart);
  return chart;
}

Chart equilibria_chart(const Study& study) {
  const PhasePlane& plane = *study.plane;
  std::map<std::string_view, Series> by_kind;
  for (const FixedPoint& point : plane.equilibria) {
    Series& series = by_kind[point.kind()];
    series.x.push_back(point.current);
    series.y.push_back(point.x[0]);
  }
  Chart chart;
  chart.id = "equilibria";
  chart.title = "Fixed points against the current";
  chart.caption = "A stable point that becomes unstable, or vanishes, is a bifurcation.";
  const auto [least, most] =
      std::minmax_element(study.fi.currents.begin(), study.fi.currents.end());
  chart.x = axis_between("current", shown(study.neuron.current_unit()), *least, *most);
  chart.y = {plane.names[0], shown(plane.units[0])};
  chart.plane = chart.wide = true;
  int color = kBlue;
  for (auto& [kind, series] : by_kind) {
    series.name = kind;
    series.draw = Series::Draw::points;
    series.color = color++;
    chart.series.push_back(std::move(series));
  }
  return chart;
}

Table points_table(const Study& study) {
  const PhasePlane& plane = *study.plane;
  Table table{"fixed-points", "Fixed points", "", {"current"}, {}, {}, false};
  for (std::size_t axis = 0; axis < plane.names.size(); ++axis) {
    const std::string unit = shown(plane.units[axis]);
    table.columns.push_back(unit.empty() ? plane.names[axis]
                                         : fmt::format("{} ({})", plane.names[axis], unit));
  }
  table.columns.insert(table.columns.end(), {"eigenvalues (1/ms)", "kind"});
  const auto text = [](const std::complex<double>& value) {
    return value.imag() == 0
               ? fmt::format("{:.4g}", value.real())
               : fmt::format("{:.4g} ± {:.4g} i", value.real(), std::abs(value.imag()));
  };
  for (const auto* points : {&plane.rest, &plane.driven}) {
    for (const FixedPoint& point : *points) {
      std::vector<report::Cell> row = {with_unit(point.current, study.neuron.current_unit())};
      for (std::size_t axis = 0; axis < point.variables; ++axis) row.emplace_back(point.x[axis]);
      const bool pair = point.variables == 1 || point.eigenvalues[0].imag() != 0;
      row.emplace_back(pair ? text(point.eigenvalues[0])
                            : text(point.eigenvalues[0]) + ", " + text(point.eigenvalues[1]));
      row.emplace_back(std::string(point.kind()));
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

}  // namespace

Section plane_section(const Study& study) {
  const bool two = study.plane->names.size() == 2;
  Section section{"phase", two ? "Phase plane" : "Phase line", {}, {}};
  section.blocks.emplace_back(two ? plane_chart(study) : line_chart(study));
  if (!study.plane->equilibria.empty()) section.blocks.emplace_back(equilibria_chart(study));
  Table table = points_table(study);
  if (table.rows.empty()) {
    section.blocks.emplace_back(report::Note{"There are no fixed points near the trajectory."});
  } else {
    section.blocks.emplace_back(std::move(table));
  }
  return section;
}

}  // namespace afterspike::single_neuron
