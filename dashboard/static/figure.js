// A plot as Plotly's traces, layout and configuration, in the look of the SVG that it takes the place of.
"use strict";

const Figure = {
  PAD: 2, // pixels above the top of the scale, so that a line there is not cut in half; as svg.py

  // No control, no logo, and above all nothing that could send data to anybody.
  CONFIG: {
    displayModeBar: false, displaylogo: false, showSendToCloud: false, plotlyServerURL: "",
    doubleClick: false, showTips: false, responsive: false, scrollZoom: false, locale: "en",
  },

  of(plot, data, width) {
    return {
      traces: Figure.traces(plot),
      layout: Figure.layout(plot, data, width),
      config: Figure.CONFIG,
    };
  },

  // A token of raingauge.css as the browser resolved it.
  colour(name, share = 1) {
    if (!Figure.probe) {
      Figure.probe = document.createElement("i");
      Figure.probe.hidden = true;
      Figure.probe.style.forcedColorAdjust = "none";
      document.body.append(Figure.probe);
    }
    Figure.probe.style.color = `var(--${name})`;
    const rgb = getComputedStyle(Figure.probe).color;
    return share === 1 ? rgb : rgb.replace("rgb(", "rgba(").replace(")", `, ${share})`);
  },

  // Fills first, so that every line lies over them. Times are Unix seconds on a plain axis, whose words come from the
  // server: on an axis of dates Plotly would read numbers in the browser's own zone.
  traces(plot) {
    const x = plot.traces[0]?.values.map((_, at) => plot.x0 + at * plot.dx);
    const [fills, lines] = [[], []];
    let below = null;
    plot.traces.forEach((trace, number) => {
      const stacked = plot.kind === "stack";
      const y = stacked && below ? trace.values.map((value, at) => Figure.sum(value, below[at])) : trace.values;
      lines.push(Figure.line(plot, trace, y, stacked ? 1.3 : 1.7));
      if (stacked || (plot.kind === "area" && number === 0)) {
        fills.push({
          type: "scatter", mode: "lines", hoverinfo: "skip", line: { width: 0 }, fill: "toself",
          fillcolor: Figure.colour(`s${trace.tone}`, stacked ? 0.42 : 0.15), ...Figure.outline(x, y, below),
        });
      }
      if (stacked) below = y;
    });
    if (plot.before) lines.push(Figure.line(plot, plot.before, plot.before.values, 1.7));
    return [...fills, ...lines];
  },

  line: (plot, { name, tone, dotted }, y, width) => ({
    type: "scatter", mode: "lines", name, hoverinfo: "none", connectgaps: false, x0: plot.x0, dx: plot.dx, y,
    line: { color: Figure.colour(`s${tone}`), width, dash: dotted ? "1px,3.5px" : "solid", simplify: false },
  }),

  // Around each stretch without a gap; Plotly's own fills go straight over gaps.
  outline(x, upper, lower) {
    const shape = { x: [], y: [] };
    for (let first = 0, after; first < upper.length; first = after + 1) {
      after = upper.findIndex((value, at) => at >= first && value === null);
      if (after < 0) after = upper.length;
      if (after === first) continue;
      const back = x.slice(first, after).reverse();
      const floor = lower ? lower.slice(first, after).map((value) => value ?? 0).reverse() : back.map(() => 0);
      shape.x.push(...x.slice(first, after), ...back, null);
      shape.y.push(...upper.slice(first, after), ...floor, null);
    }
    return shape;
  },

  sum: (value, below) => (value === null && below === null ? null : (value ?? 0) + (below ?? 0)),

  layout(plot, data, width) {
    const { ticks, from_, to } = data.shell;
    const muted = Figure.colour("muted");
    const scale = (share) => (share ? Units.axis(share, plot.top, plot.unit) : "0");
    return {
      width, height: Charts.TOP + Charts.HEIGHT + Charts.BOTTOM,
      margin: { l: Charts.LEFT, r: Charts.RIGHT, t: Charts.TOP - Figure.PAD, b: Charts.BOTTOM },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, hovermode: "x",
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
      uirevision: `${from_} ${to}`,
      font: { family: getComputedStyle(document.body).fontFamily, size: 11, color: muted },
      xaxis: {
        type: "linear", range: [plot.start, plot.end], showgrid: false, zeroline: false, ticks: "", automargin: false,
        tickvals: ticks.map(([t]) => t), ticktext: ticks.map(([, text]) => text), linecolor: Figure.colour("line"),
      },
      yaxis: {
        range: [0, plot.top * (1 + Figure.PAD / Charts.HEIGHT)], fixedrange: true, zeroline: false, automargin: false,
        ticks: "outside", ticklen: 5, tickcolor: "rgba(0,0,0,0)", showline: false,
        gridcolor: Figure.colour("hair"), tickvals: [0, plot.top / 2, plot.top], ticktext: [0, 0.5, 1].map(scale),
      },
      shapes: Figure.shapes(plot, data),
      annotations: [...Figure.words(plot, data), ...Figure.ends(plot)],
    };
  },

  shapes(plot, { marks, spans }) {
    const whole = { xref: "x", yref: "paper", y0: 0, y1: Charts.HEIGHT / (Charts.HEIGHT + Figure.PAD), layer: "below" };
    const shade = (span, fillcolor) =>
      ({ ...whole, type: "rect", x0: Math.max(span.start, plot.start), x1: Math.min(span.end, plot.end), fillcolor, line: { width: 0 } });
    return [
      ...plot.gaps.map((gap) => shade(gap, Figure.colour("line", 0.35))),
      ...spans.filter((span) => Figure.concerns(span, plot)).map((span) => shade(span, Figure.colour(span.state, 0.1))),
      ...plot.levels.filter((level) => level.drawn).map((level) =>
        ({ type: "line", xref: "paper", x0: 0, x1: 1, y0: level.value, y1: level.value, line: { color: Figure.colour("warn", 0.8), width: 1, dash: "5px,4px" } })),
      ...marks.map((mark) =>
        ({ ...whole, type: "line", x0: mark.t, x1: mark.t, line: { color: Figure.mark(mark), width: 1, dash: "2px,3px" } })),
    ];
  },

  concerns: (span, plot) =>
    (!span.job || span.job === plot.job) && (!plot.instance || !span.instance || span.instance === plot.instance),

  mark: ({ state }) => Figure.colour(state === "info" ? "ghost" : state),

  words(plot, { marks }) {
    const plain = { showarrow: false, xref: "x", yref: "y" };
    return [
      ...plot.levels.filter((level) => level.drawn).map((level) =>
        ({ ...plain, xref: "paper", x: 0, y: level.value, xanchor: "left", yanchor: "bottom", xshift: 3, yshift: -1,
           text: Figure.plain(`${level.name} ${Units.text(level.value, plot.unit)}`), font: { color: Figure.colour("warn") } })),
      ...plot.gaps.map((gap) =>
        ({ ...plain, yref: "paper", x: (gap.start + gap.end) / 2, y: 0.5, text: Figure.room(gap, plot) })),
      ...marks.map((mark) =>
        ({ ...plain, yref: "paper", x: mark.t, y: 1, yanchor: "bottom", yshift: -5 - Figure.PAD, text: "▼",
           font: { size: 9, color: Figure.mark(mark) } })),
    ];
  },

  // What is written in a gap, by the room that it has: as svg.py.
  room(gap, plot) {
    const share = (gap.end - gap.start) / (plot.end - plot.start);
    return share > 0.74 ? gap.words : share > 0.36 ? "no samples" : "";
  },

  // Names at the lines' ends, kept apart as svg.py does.
  ends(plot) {
    if (plot.traces.length < 2) return [];
    let below = 0;
    const places = plot.traces.filter((trace) => trace.last !== null).map((trace) => {
      below = plot.kind === "stack" ? below + trace.last : trace.last;
      return { trace, y: Charts.HEIGHT * (1 - Math.min(below, plot.top) / plot.top) };
    });
    places.sort((a, b) => a.y - b.y);
    places.forEach((place, at) => at && (place.y = Math.max(place.y, places[at - 1].y + 13)));
    for (let at = places.length - 1, floor = Charts.HEIGHT; at >= 0; at--) floor = (places[at].y = Math.min(places[at].y, floor)) - 13;
    return places.map(({ trace, y }) =>
      ({ showarrow: false, xref: "paper", yref: "paper", x: 1, y: 1, xanchor: "left", yanchor: "middle", xshift: 5, yshift: -y - Figure.PAD,
         text: Figure.plain(Figure.short(trace.name)),
         font: { weight: 600, color: Figure.colour(`s${trace.tone}`) } }));
  },

  // What has room at a line's end, as svg.py.
  short(name) {
    if (name.length <= 9) return name;
    const words = name.slice(0, 10).lastIndexOf(" ");
    if (words > 0) return name.slice(0, words);
    const [first] = name.replace(/^www\./, "").split(/[.:/]/);
    return first && first.length <= 9 ? first : `${name.slice(0, 8)}…`;
  },

  // Plotly reads a little HTML in texts.
  plain: (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;"),
};
