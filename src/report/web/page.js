// Draws the document in the element "data" (include/afterspike/report/document.hpp says what it holds). Whatever comes
// from it becomes text of a node, never markup.
"use strict";
(() => {
  const {
    node, number, look, colorOf, dashOf, symbolOf, optionOf, svgOf, rowsOf, csvOf, inWords, zoomOption, windows, resetZoom, onKey,
  } = figures;
  const content = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const kCellsInSvg = 3000; // More are drawn as pixels.
  const kRowsShown = 300;
  const kLongCell = 40; // Characters; longer text is wrapped.
  const kNumberText = /^$|^-?[\d.]+(e-?\d+)?( ± [\d.]+)?( %)?( \(of \d+\))?$/; // "98.00 %", "0.42 ± 0.03"

  // ---- Light and dark ----

  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  let chosenTheme = null;
  const charts = [];

  function theme() {
    return chosenTheme ?? (prefersDark.matches ? "dark" : "light");
  }

  function applyTheme(name = theme()) {
    root.dataset.theme = name;
    for (const chart of charts) chart.draw();
  }

  function save(name, type, text) {
    const link = node("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // ---- Figures ----

  function swatch(series, index) {
    const now = look();
    const color = colorOf(series, index, now);
    const make = (tag, attributes) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
      return made;
    };
    const picture = make("svg", { width: 18, height: 10, "aria-hidden": "true" });
    if (series.draw === "points") {
      const shapes = { triangle: "9,0 14,9 4,9", rect: "5,1 13,1 13,9 5,9", diamond: "9,0 14,5 9,10 4,5" };
      const shape = shapes[symbolOf(series, index)];
      picture.append(shape ? make("polygon", { points: shape, fill: color }) : make("circle", { cx: 9, cy: 5, r: 4.5, fill: color }));
    } else {
      const dash = dashOf(series, index);
      picture.append(make("line", { x1: 0, x2: 18, y1: 5, y2: 5, stroke: color, "stroke-width": series.thin ? 1.5 : 3, "stroke-dasharray": dash === "solid" ? "" : dash.join(" ") }));
    }
    return picture;
  }

  class FigureView {
    constructor(figure) {
      this.figure = figure;
      this.hidden = new Set();
      this.place = node("div", { class: "chart", role: "img", tabindex: 0, "aria-label": inWords(figure) });
      this.legend = this.makeLegend();
      this.reset = node("button", { type: "button", hidden: "", onclick: () => resetZoom(this.chart) }, "Whole range");
      const title = node("h3", {}, figure.title);
      this.element = node("figure", { id: figure.id, class: `${figure.wide ? "wide" : ""} ${figure.tall ? "tall" : ""}` },
        node("figcaption", {}, title, figure.caption ? node("p", {}, figure.caption) : ""), this.legend, this.place, this.tools(), this.table());
    }

    makeLegend() {
      const box = node("div", { class: "legend", role: "group", "aria-label": `Series of: ${this.figure.title}` });
      if (this.figure.kind === "heat") {
        const values = this.figure.values.flat().filter((value) => value !== null);
        const ends = [values.reduce((a, b) => Math.min(a, b), 0), values.reduce((a, b) => Math.max(a, b), 0)];
        if (this.figure.scale) box.append(node("span", { class: "scale" }, `Colour: ${this.figure.scale}, ${ends.map(number).join(" to ")}`));
        return box;
      }
      if (this.figure.series.length < 2) return box;
      this.figure.series.forEach((series, index) => {
        if (series.unlisted) return;
        const toggle = () => {
          if (!this.hidden.delete(index)) this.hidden.add(index);
          this.draw();
        };
        box.append(node("button", { type: "button", "aria-pressed": "true", "data-series": index, onclick: toggle }, series.name));
      });
      return box;
    }

    tools() {
      const name = this.figure.id;
      return node("div", { class: "tools" },
        node("button", { type: "button", "aria-label": `SVG of: ${this.figure.title}`, onclick: () => save(`${name}.svg`, "image/svg+xml", svgOf(this.figure, this.hidden)) }, "SVG"),
        node("button", { type: "button", "aria-label": `CSV of: ${this.figure.title}`, onclick: () => save(`${name}.csv`, "text/csv", csvOf(rowsOf(this.figure))) }, "CSV"),
        this.reset);
    }

    table() {
      const details = node("details", {}, node("summary", {}, "Data"));
      details.addEventListener("toggle", () => {
        if (!details.open || details.childElementCount > 1) return;
        const { columns, rows } = rowsOf(this.figure);
        if (rows.length > kRowsShown) details.append(node("p", {}, `The first ${kRowsShown} of ${rows.length} rows; the CSV file has all.`));
        details.append(tableOf({ columns, rows: rows.slice(0, kRowsShown) }));
      });
      return details;
    }

    start() {
      const cells = this.figure.kind === "heat" ? this.figure.values.length * this.figure.values[0].length : 0;
      this.chart = echarts.init(this.place, null, { renderer: cells > kCellsInSvg ? "canvas" : "svg" });
      this.chart.setOption(zoomOption(this.figure));
      this.draw();
      if (matchMedia("(pointer: fine)").matches) {
        this.chart.dispatchAction({ type: "takeGlobalCursor", key: "dataZoomSelect", dataZoomSelectActive: true });
      }
      this.chart.on("datazoom", () => {
        this.reset.hidden = Object.values(windows(this.chart)).every(([start, end]) => end - start > 99.9);
      });
      this.place.addEventListener("dblclick", () => resetZoom(this.chart));
      this.place.addEventListener("keydown", (event) => onKey(event, this.chart));
      new ResizeObserver(() => this.chart.resize()).observe(this.place);
    }

    draw() {
      const now = look();
      const option = optionOf(this.figure, now, this.hidden);
      option.tooltip = { ...option.tooltip, confine: true, backgroundColor: now.card, borderColor: now.line, textStyle: { color: now.ink } };
      this.chart.setOption(option, { replaceMerge: ["series"] });
      this.legend.querySelectorAll("button").forEach((button) => {
        const index = Number(button.dataset.series);
        button.setAttribute("aria-pressed", String(!this.hidden.has(index)));
        button.querySelector("svg")?.remove();
        button.prepend(swatch(this.figure.series[index], index));
      });
    }
  }

  // ---- Everything else ----

  function tableOf({ columns, rows, differs = [] }) {
    const isNumber = (cell) => typeof cell === "number" || cell === null || kNumberText.test(cell);
    const numeric = columns.map((_, i) => rows.length > 0 && rows.every((row) => isNumber(row[i])) && rows.some((row) => row[i] !== ""));
    const heads = columns.map((name, i) => node("th", { scope: "col", class: numeric[i] ? "number" : undefined }, name));
    const body = rows.map((row, place) => {
      const cells = row.map((value, i) =>
        i === 0 && !numeric[0] ? node("th", { scope: "row" }, number(value))
          : node("td", { class: numeric[i] ? "number" : String(value).length > kLongCell ? "long" : undefined }, number(value)));
      return node("tr", { class: differs[place] ? "differs" : undefined }, ...cells);
    });
    return node("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Table" },
      node("table", {}, node("thead", {}, node("tr", {}, ...heads)), node("tbody", {}, ...body)));
  }

  function tableBlock(block) {
    const inner = [block.caption ? node("p", {}, block.caption) : "", tableOf(block),
      node("div", { class: "tools" }, node("button", { type: "button", "aria-label": `CSV of: ${block.title}`, onclick: () => save(`${block.id}.csv`, "text/csv", csvOf(block)) }, "CSV"))];
    if (block.folded) return node("div", { class: "table" }, node("details", {}, node("summary", {}, block.title), ...inner));
    return node("div", { class: "table" }, node("h3", {}, block.title), ...inner);
  }

  function codeBlock(block) {
    const copied = node("span", { role: "status" });
    const copy = async () => {
      await navigator.clipboard?.writeText(block.text);
      copied.textContent = navigator.clipboard ? "copied" : "";
    };
    return node("div", { class: "code" }, node("h3", {}, block.title), node("pre", { tabindex: 0 }, block.text),
      node("div", { class: "tools" }, node("button", { type: "button", onclick: copy }, "Copy"), copied));
  }

  function blockOf(block) {
    if (block.type === "table") return tableBlock(block);
    if (block.type === "code") return codeBlock(block);
    if (block.type === "note") return node("div", { class: "note", role: "note" }, node("p", {}, block.text));
    charts.push(new FigureView(block));
    return charts.at(-1).element;
  }

  function build() {
    document.getElementById("title").textContent = content.title;
    document.getElementById("subtitle").textContent = content.subtitle;
    document.getElementById("summary").append(...(content.summary ?? []).map((text) => node("li", {}, text)));
    const menu = document.getElementById("menu"), main = document.getElementById("content");
    for (const section of content.sections) {
      menu.append(node("li", {}, node("a", { href: `#${section.id}` }, section.title)));
      main.append(node("section", { id: section.id, "aria-labelledby": `${section.id}-title` },
        node("h2", { id: `${section.id}-title` }, section.title), ...section.text.map((text) => node("p", {}, text)),
        node("div", { class: "blocks" }, ...section.blocks.map(blockOf))));
    }
    const toggle = () => {
      chosenTheme = theme() === "dark" ? "light" : "dark";
      applyTheme();
    };
    menu.append(node("li", {}, node("button", { type: "button", onclick: toggle }, "Light or dark")));
  }

  root.dataset.theme = theme();
  build();
  for (const chart of charts) chart.start();
  prefersDark.addEventListener("change", () => applyTheme());
  addEventListener("beforeprint", () => {
    applyTheme("light");
    for (const { chart } of charts) chart.resize();
  });
  addEventListener("afterprint", () => applyTheme());
  root.dataset.ready = "true";
})();
