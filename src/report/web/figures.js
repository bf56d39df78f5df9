// How a figure of the document becomes what Apache ECharts draws, a CSV file or words, and how it is zoomed.
"use strict";
const figures = (() => {
  // After Okabe and Ito (2008), darkened or lightened to a contrast of 3 to 1 with what is behind.
  const kLooks = {
    light: {
      colors: ["#0072b2", "#d55e00", "#008c66", "#b5588a", "#a87700", "#3a93c9", "#5c4fa3", "#444444"],
      muted: "#8a94a1",
      scale: ["#f4f8fc", "#c6dcee", "#85b8dc", "#3a85bf", "#0b559f", "#08264f"],
    },
    dark: {
      colors: ["#57aee6", "#f0884a", "#2fc29a", "#e29cc4", "#f0b840", "#a5dcff", "#a79bf0", "#d0d0d0"],
      muted: "#7d8896",
      scale: ["#18222e", "#1c4366", "#2a72a8", "#5aa6dc", "#a3d2f5", "#f2f9ff"],
    },
  };
  const kDashes = ["solid", [7, 3], [2, 3], [9, 3, 2, 3]];
  const kSymbols = ["circle", "triangle", "rect", "diamond", "roundRect", "pin", "arrow"];
  const kLabelledClasses = 12;
  const kLongestName = 280; // Of an axis, in pixels: what is beyond would be clipped on a small chart.
  // Around the plane of a chart, for labels and names; fixed, so that charts side by side have theirs at one height.
  const kMargins = { left: 76, top: 14, bottom: 44, outerBoundsMode: "none" };

  // ---- Nodes ----

  function node(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value !== undefined && value !== false) made.setAttribute(name, value);
    }
    made.append(...children.filter((child) => child !== undefined && child !== ""));
    return made;
  }

  /** Digits in groups of three from five digits on: 17,283, but 2026. */
  const grouped = (value) => (Math.abs(value) < 1e4 ? String(value) : value.toLocaleString("en-US"));

  function number(value) {
    if (typeof value !== "number") return value === null ? "–" : String(value);
    if (Number.isInteger(value) && Math.abs(value) < 1e9) return grouped(value).replace("-", "−");
    const size = Math.abs(value);
    const short = size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
    return short.replace("-", "−").replace("e+", "e");
  }

  const label = (axis) => (axis.unit ? `${axis.name} (${axis.unit})` : axis.name);

  // ---- Looks ----

  const root = document.documentElement;

  function look() {
    const style = getComputedStyle(root);
    const read = (name) => style.getPropertyValue(name).trim();
    return { ...kLooks[root.dataset.theme], ink: read("--ink"), faint: read("--muted"), grid: read("--grid"), line: read("--line"), card: read("--card"), font: style.fontFamily };
  }

  // ---- Charts ----

  function colorOf(series, index, now) {
    const chosen = series.color ?? index;
    return chosen < 0 ? now.muted : now.colors[chosen % now.colors.length];
  }

  function dashOf(series, index) {
    const turn = Math.floor((series.color ?? index) / kLooks.light.colors.length);
    return kDashes[series.dash ?? Math.max(0, turn) % kDashes.length];
  }

  const symbolOf = (series, index) => kSymbols[Math.max(0, series.color ?? index) % kSymbols.length];

  function axisOption(axis, now, isX) {
    return {
      type: axis.log ? "log" : "value",
      name: label(axis),
      nameLocation: "middle",
      nameTextStyle: { color: now.faint, fontSize: 12 },
      nameTruncate: { maxWidth: kLongestName, ellipsis: "…" },
      min: axis.min ?? undefined,
      max: axis.max ?? undefined,
      scale: true,
      minInterval: axis.whole ? 1 : undefined,
      axisLine: { show: isX, lineStyle: { color: now.line }, onZero: false },
      axisTick: { show: isX && !axis.hidden, lineStyle: { color: now.line } },
      axisLabel: { show: !axis.hidden, color: now.faint, fontSize: 11, hideOverlap: true, formatter: number },
      splitLine: { show: !isX, lineStyle: { color: now.grid } },
    };
  }

  function tip(rows, head) {
    const box = node("div", { class: "tip" });
    if (head) box.append(node("b", {}, head));
    for (const [color, text] of rows) {
      const dot = node("span");
      dot.style.background = color;
      box.append(node("div", {}, dot, text));
    }
    return box;
  }

  function bandOption(series, color) {
    const rows = series.x.map((x, i) => [x, series.low[i], series.high[i]]);
    const draw = (params, api) => {
      if (params.dataIndex > 0) return null;
      const edge = (place) => rows.filter((row) => row[place] !== null).map((row) => api.coord([row[0], row[place]]));
      return { type: "polygon", shape: { points: [...edge(1), ...edge(2).reverse()] }, style: { fill: color, opacity: 0.18 } };
    };
    return { type: "custom", name: series.name, data: rows, encode: { x: 0, y: [1, 2], tooltip: [] }, renderItem: draw, silent: true, clip: true, z: 1, tooltip: { show: false } };
  }

  function seriesOption(figure, series, index, now) {
    const color = colorOf(series, index, now);
    const data = series.x.map((x, i) => [x, series.y[i]]);
    const common = { name: series.name, data, id: `s${index}`, itemStyle: { color }, animation: false };
    if (series.draw === "points") {
      const size = data.length > 2000 ? 2.5 : data.length > 400 ? 5 : figure.plane && data.length < 10 ? 11 : 7;
      return [{ ...common, type: "scatter", z: figure.plane ? 5 : 2, symbol: symbolOf(series, index), symbolSize: series.size ?? size, itemStyle: { color, opacity: 0.75 } }];
    }
    const steps = series.draw === "steps";
    const line = {
      ...common,
      type: "line",
      symbol: symbolOf(series, index),
      symbolSize: 6,
      showSymbol: !steps && !figure.x.hidden && !figure.plane && data.length <= 12,
      step: steps ? "middle" : false,
      areaStyle: steps ? { color, opacity: 0.16 } : undefined,
      lineStyle: { color, width: series.thin ? 1 : 2, type: dashOf(series, index), opacity: series.thin ? 0.6 : 1 },
      connectNulls: false,
      z: 3,
    };
    return series.low ? [bandOption(series, color), line] : [line];
  }

  /** The ends of the x axis of lines. Ends that are no round numbers get no label. */
  function endsOf(figure, now) {
    const all = figure.series.flatMap((series) => series.x).filter((x) => x !== null);
    const ends = [figure.x.min ?? all.reduce((a, b) => Math.min(a, b), Infinity), figure.x.max ?? all.reduce((a, b) => Math.max(a, b), -Infinity)];
    const [showMinLabel, showMaxLabel] = ends.map((end) => Number(end.toPrecision(2)) === end);
    return { min: figure.x.min ?? "dataMin", max: figure.x.max ?? "dataMax", axisLabel: { ...axisOption(figure.x, now, true).axisLabel, showMinLabel, showMaxLabel } };
  }

  function xyOption(figure, now, hidden) {
    const shown = figure.series.map((series, index) => [series, index]).filter(([, index]) => !hidden.has(index));
    const lines = !figure.plane && figure.series.some((series) => series.draw !== "points");
    const describe = (params) => {
      // By its place: several series may have one name. Bands have no place.
      const points = [params].flat().filter((point) => /^s\d+$/.test(point.seriesId));
      const rows = points.map((point) => {
        const series = figure.series[Number(point.seriesId.slice(1))];
        const place = point.dataIndex;
        const range = series.low ? ` [${number(series.low[place])}, ${number(series.high[place])}]` : "";
        const name = series.names?.[place] ? `${series.names[place]}, ${series.name}` : series.name;
        const own = lines ? number(point.value[1]) : `${number(point.value[0])}, ${number(point.value[1])}`;
        return [point.color, `${name}: ${own}${range}`];
      });
      return rows.length ? tip(rows, lines ? `${label(figure.x)} ${number(points[0].value[0])}` : undefined) : undefined;
    };
    return {
      grid: { ...kMargins, right: 18 },
      xAxis: { ...axisOption(figure.x, now, true), ...(lines && !figure.x.log ? endsOf(figure, now) : {}) },
      yAxis: axisOption(figure.y, now, false),
      series: shown.flatMap(([series, index]) => seriesOption(figure, series, index, now)),
      tooltip: { show: !figure.x.hidden, trigger: lines ? "axis" : "item", formatter: describe, axisPointer: { lineStyle: { color: now.faint } } },
    };
  }

  function heatOption(figure, now) {
    const power = figure.power ?? 1;
    const cells = figure.values.flatMap((row, y) => row.map((value, x) => [x, y, value === null ? "-" : value ** power, value]));
    const values = figure.values.flat().filter((value) => value !== null);
    const least = Math.min(0, ...[values.reduce((a, b) => Math.min(a, b), Infinity)]);
    const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
    const labelled = figure.values.length <= kLabelledClasses && figure.labelled;
    const axis = (own, isX) => ({
      ...axisOption(own, now, true),
      type: "category",
      data: own.values.map((value) => (typeof value === "number" ? number(value) : value)),
      inverse: !isX && own.inverse === true,
      scale: undefined,
      splitLine: { show: false },
      axisTick: { show: false },
      axisLabel: { color: now.faint, fontSize: 11, hideOverlap: true, interval: own.values.length <= 20 ? 0 : Math.ceil(own.values.length / 14) - 1 },
    });
    const say = ({ value, color }) =>
      tip([[color, `${figure.scale}: ${number(value[3])}`]], `${label(figure.x)} ${figure.x.values[value[0]]}, ${label(figure.y)} ${figure.y.values[value[1]]}`);
    return {
      grid: { ...kMargins, right: 74 },
      xAxis: axis(figure.x, true),
      yAxis: axis(figure.y, false),
      visualMap: {
        type: "continuous", min: Math.max(0, least) ** power * Math.sign(least || 1), max: most ** power || 1, dimension: 2,
        right: 0, top: "middle", itemWidth: 11, itemHeight: 110, text: undefined, calculable: false,
        inRange: { color: now.scale }, textStyle: { color: now.faint, fontSize: 11 }, hoverLink: false,
        ...(least < 0 ? { min: least } : {}),
        formatter: (value) => number(value ** (1 / power)),
        text: [number(most), number(least)],
      },
      series: [{
        type: "heatmap", data: cells, name: figure.scale, animation: false, progressive: 0,
        label: { show: labelled, fontSize: 10, formatter: ({ value }) => (value[3] ? number(value[3]) : "") },
        emphasis: { itemStyle: { borderColor: now.ink, borderWidth: 1 } },
      }],
      tooltip: { trigger: "item", formatter: say },
    };
  }

  function optionOf(figure, now, hidden) {
    return {
      animation: false,
      textStyle: { fontFamily: now.font },
      ...(figure.kind === "heat" ? heatOption(figure, now) : xyOption(figure, now, hidden)),
    };
  }

  /** The chart as an SVG file, with title and legend. */
  function svgOf(figure, hidden) {
    const now = look();
    const option = optionOf(figure, now, hidden);
    const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: 860, height: 520 });
    const names = figure.kind === "heat" ? [] : figure.series.filter((_, index) => !hidden.has(index)).map((series) => series.name);
    const legend = names.length > 1;
    chart.setOption({
      ...option,
      backgroundColor: now.card,
      textStyle: { fontFamily: "sans-serif" },
      title: { text: figure.title, left: 12, top: 8, textStyle: { color: now.ink, fontSize: 15 } },
      legend: { show: legend, data: names, top: 36, left: 12, type: "plain", textStyle: { color: now.ink } },
      grid: { ...option.grid, top: legend ? 90 : 48 },
    });
    const text = chart.renderToSVGString();
    chart.dispose();
    return text;
  }

  function rowsOf(figure) {
    if (figure.kind === "heat") {
      const rows = figure.values.flatMap((row, y) => row.map((value, x) => [figure.x.values[x], figure.y.values[y], value]));
      return { columns: [label(figure.x), label(figure.y), figure.scale], rows };
    }
    const named = figure.series.some((series) => series.names);
    const ranged = figure.series.some((series) => series.low);
    const columns = ["series", ...(named ? ["name"] : []), label(figure.x), label(figure.y), ...(ranged ? ["low", "high"] : [])];
    const rows = figure.series.flatMap((series) =>
      series.x.map((x, i) => [
        series.name, ...(named ? [series.names?.[i] ?? ""] : []), x, series.y[i],
        ...(ranged ? [series.low?.[i] ?? null, series.high?.[i] ?? null] : []),
      ]));
    return { columns, rows: rows.filter((row) => row.some((cell) => typeof cell === "number")) };
  }

  /** A cell of a CSV file. What a spreadsheet would take for a formula gets an apostrophe. */
  function cell(value) {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return String(value);
    const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  const csvOf = ({ columns, rows }) => [columns, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n";

  /** What the chart shows, in words. */
  function inWords(figure) {
    const range = (values) => {
      const own = values.filter((value) => value !== null);
      return own.length ? `${number(own.reduce((a, b) => Math.min(a, b)))} to ${number(own.reduce((a, b) => Math.max(a, b)))}` : "nothing";
    };
    if (figure.kind === "heat") {
      return `${figure.title}. Map of ${figure.scale} (${range(figure.values.flat())}) by ${label(figure.x)} and ${label(figure.y)}.`;
    }
    const parts = figure.series.slice(0, 12).map((series) => {
      const ends = series.draw === "line" && !figure.x.hidden && series.y.length > 1
        ? `from ${number(series.y[0])} to ${number(series.y.at(-1))}` : `${series.y.length} values, ${range(series.y)}`;
      return `${series.name}: ${ends}`;
    });
    const more = figure.series.length > 12 ? `; and ${figure.series.length - 12} more` : "";
    return `${figure.title}. ${label(figure.y)} against ${label(figure.x)}. ${parts.join("; ")}${more}.`;
  }

  // ---- Zoom: drag a rectangle, or the keyboard ----

  const kWhole = [0, 100];

  function zoomOption(figure) {
    const inside = (axis) => ({ type: "inside", id: axis, [`${axis}AxisIndex`]: 0, filterMode: "none", zoomOnMouseWheel: "ctrl", moveOnMouseMove: false, moveOnMouseWheel: false, preventDefaultMouseMove: false });
    return {
      dataZoom: figure.kind === "heat" ? [inside("x")] : [inside("x"), inside("y")],
      // Out of sight: without a toolbox nothing can be selected by dragging.
      toolbox: { top: -100, feature: { dataZoom: { filterMode: "none", yAxisIndex: figure.kind === "heat" ? false : undefined } } },
    };
  }

  function windows(chart) {
    return Object.fromEntries((chart.getOption()?.dataZoom ?? []).filter((zoom) => zoom.id === "x" || zoom.id === "y").map((zoom) => [zoom.id, [zoom.start, zoom.end]]));
  }

  function setWindow(chart, axis, [start, end]) {
    const width = Math.min(100, end - start);
    const from = Math.max(0, Math.min(100 - width, start));
    chart.dispatchAction({ type: "dataZoom", dataZoomId: axis, start: from, end: from + width });
  }

  function resetZoom(chart) {
    for (const axis of Object.keys(windows(chart))) setWindow(chart, axis, kWhole);
  }

  function onKey(event, chart) {
    const now = windows(chart);
    const scale = (factor) => {
      for (const [axis, [start, end]] of Object.entries(now)) {
        const middle = (start + end) / 2, half = ((end - start) / 2) * factor;
        setWindow(chart, axis, [middle - half, middle + half]);
      }
    };
    const move = (axis, part) => {
      if (!now[axis]) return;
      const [start, end] = now[axis], by = (end - start) * part;
      setWindow(chart, axis, [start + by, end + by]);
    };
    const keys = {
      "+": () => scale(0.7), "=": () => scale(0.7), "-": () => scale(1 / 0.7), 0: () => resetZoom(chart),
      ArrowLeft: () => move("x", -0.2), ArrowRight: () => move("x", 0.2),
      ArrowDown: () => move("y", -0.2), ArrowUp: () => move("y", 0.2),
    };
    const zoomed = Object.values(now).some(([start, end]) => end - start < 99.9);
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.startsWith("Arrow") && !zoomed) return; // The page scrolls.
    event.preventDefault();
    keys[event.key]();
  }

  return {
    node, number, look, colorOf, dashOf, symbolOf, optionOf, svgOf, rowsOf, csvOf, inWords, zoomOption, windows, resetZoom, onKey,
  };
})();
