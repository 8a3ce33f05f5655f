// Charts: the server's SVG is there first; those in view become Plotly's, one a task. One crosshair over all of them.
"use strict";

const Charts = {
  LEFT: 50, RIGHT: 68, TOP: 14, HEIGHT: 150, BOTTOM: 22, // as svg.py
  AWAY: 60000, // ms out of view after which a chart is the server's again
  plots: new Map(),
  data: null,
  tapped: new Set(),
  waiting: new Set(),
  leaving: new Map(),
  at: null, // time under the crosshair, Unix seconds

  phone: () => matchMedia("(max-width: 600px)").matches,
  figure: (id) => document.getElementById(`chart-${id}`),
  figures: () => [...document.querySelectorAll("figure[data-chart]")],
  box: (figure) => figure.querySelector(".pl"),

  width() {
    const box = document.querySelector(".pl");
    return box ? Math.max(120, Math.round(box.clientWidth - Charts.LEFT - Charts.RIGHT)) : 480;
  },

  // New data: what Plotly draws is drawn again, if it is in view; the rest is the SVG of the same answer.
  show(data) {
    const plots = data.plots ?? (data.sections ?? []).flatMap((section) => [...section.plots, ...(section.more ?? [])]);
    Charts.plots = new Map(plots.map((plot) => [plot.id, plot]));
    Charts.data = data;
    for (const figure of Charts.figures()) {
      Charts.observer.observe(figure);
      if (figure.dataset.near) Charts.queue(figure);
    }
    const at = Charts.at ?? Charts.pinned();
    if (at !== null) Charts.cross(at);
  },

  // The server's figures of a new answer. A chart that Plotly draws keeps its box; the SVG under it is exchanged.
  async place(fresh, breath) {
    const holder = Page.charts();
    const now = fresh.querySelector("[data-charts]");
    if (!holder || !now) return;
    const ids = (root) => [...root.querySelectorAll("figure[data-chart]")].map((figure) => figure.id).join();
    if (ids(holder) !== ids(now)) {
      Charts.figures().forEach(Charts.drop);
      holder.replaceWith(now);
      return;
    }
    for (const figure of Charts.figures()) {
      await breath();
      const next = fresh.getElementById(figure.id);
      for (const part of ["figcaption", ".plot", ".sr", ".values tbody"]) {
        const [old, fresher] = [figure.querySelector(`:scope ${part}`), next.querySelector(`:scope ${part}`)];
        if (old && fresher) old.replaceWith(fresher);
      }
    }
  },

  // --- Plotly, when it is worth it ---

  library: null,
  load() {
    Charts.library ??= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = document.getElementById("main").dataset.plotly;
      script.onload = done;
      script.onerror = failed;
      document.head.append(script);
    });
    return Charts.library;
  },

  queue(figure) {
    const plot = Charts.plots.get(figure.dataset.chart);
    if (!plot?.traces.length || (Charts.phone() && !Charts.tapped.has(plot.id))) return;
    Charts.waiting.add(figure.id);
    Charts.running ??= Charts.run().finally(() => (Charts.running = null));
  },

  async run() {
    await Charts.load();
    while (Charts.waiting.size) {
      const [id] = Charts.waiting;
      Charts.waiting.delete(id);
      const figure = document.getElementById(id);
      if (figure?.dataset.near) await Charts.draw(figure);
      await new Promise((next) => setTimeout(next)); // one a task
    }
  },

  async draw(figure) {
    const plot = Charts.plots.get(figure.dataset.chart);
    const box = Charts.box(figure);
    if (!plot?.traces.length) return Charts.drop(figure);
    let drawn = box.querySelector(".drawn");
    if (!drawn) {
      drawn = document.createElement("div");
      drawn.className = "drawn";
      drawn.setAttribute("aria-hidden", "true");
      box.append(drawn);
    }
    const first = !drawn.data;
    const { traces, layout, config } = Figure.of(plot, Charts.data, box.clientWidth);
    await Plotly.react(drawn, traces, layout, config);
    if (first) {
      drawn.on("plotly_relayout", Charts.zoomed);
      drawn.querySelectorAll("svg").forEach((svg) => svg.setAttribute("focusable", "false"));
    }
    box.classList.add("up");
  },

  drop(figure) {
    const box = Charts.box(figure);
    const drawn = box.querySelector(".drawn");
    if (!drawn) return;
    Plotly.purge(drawn);
    drawn.remove();
    box.classList.remove("up");
  },

  redraw: () => Charts.figures().filter((figure) => figure.dataset.near).forEach(Charts.queue),

  // Dragging over one chart shows that time in all of them.
  zoomed(change) {
    const [start, end] = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
    if (start !== undefined) Charts.settle(start, end);
  },

  settle(start, end) {
    const { now } = Charts.data.shell;
    const room = Math.max(0, 60 - (end - start)) / 2; // a minute is the shortest span
    Page.span(Math.round(start - room), Math.round(Math.min(now, end + room)));
  },

  // --- The crosshair ---

  cross(t) {
    Charts.at = t;
    for (const figure of Charts.figures()) {
      const plot = Charts.plots.get(figure.dataset.chart);
      if (plot?.traces.length && figure.dataset.near) Charts.mark(figure, plot, t);
    }
  },

  mark(figure, plot, t) {
    const box = Charts.box(figure);
    const room = box.clientWidth - Charts.LEFT - Charts.RIGHT;
    const x = Charts.LEFT + (room * (t - plot.start)) / (plot.end - plot.start);
    const column = Math.round((t - plot.x0) / plot.dx);
    Charts.piece(box, "cross", 0).style.left = `${x}px`;
    const when = Charts.piece(box, "when", 0);
    const gap = plot.gaps.some(({ start, end }) => start <= t && t < end);
    const mark = Charts.data.marks.find((each) => Math.abs(each.t - t) * room < 6 * (plot.end - plot.start));
    when.textContent = [Charts.clock(t), gap && "no samples", Charts.under && mark?.title].filter(Boolean).join(", ");
    when.hidden = Boolean(Charts.under) && box !== Charts.under;
    const half = box === Charts.under ? when.offsetWidth / 2 : 0; // its words stay inside the chart
    when.style.left = `${Math.min(Math.max(x, half), box.clientWidth - half)}px`;
    const before = plot.before && figure.querySelectorAll(".read b")[plot.traces.length];
    if (before) before.textContent = Units.text(plot.before.values[column] ?? null, plot.unit);
    let below = 0;
    plot.traces.forEach((trace, number) => {
      const value = trace.values[column] ?? null;
      const words = figure.querySelectorAll(".read b")[number];
      if (words) words.textContent = Units.text(value, plot.unit);
      const knob = Charts.piece(box, "knob", number);
      knob.hidden = value === null;
      below = plot.kind === "stack" ? below + (value ?? 0) : value;
      knob.style.left = `${x}px`;
      knob.style.top = `${Charts.TOP + Charts.HEIGHT * (1 - Math.min(below ?? 0, plot.top) / plot.top)}px`;
      knob.style.color = Figure.colour(`s${trace.tone}`);
    });
  },

  piece(box, name, number) {
    const found = box.querySelectorAll(`:scope > .${name}`)[number];
    if (found) return found;
    const made = document.createElement("span");
    made.className = name;
    box.append(made);
    return made;
  },

  clear() {
    Charts.at = Charts.under = null;
    document.querySelectorAll(".cross,.when,.knob").forEach((piece) => piece.remove());
    for (const figure of Charts.figures()) {
      const plot = Charts.plots.get(figure.dataset.chart);
      const read = plot ? [...plot.traces, ...(plot.before ? [plot.before] : [])] : [];
      read.forEach((trace, number) => {
        const words = figure.querySelectorAll(".read b")[number];
        if (words) words.textContent = Units.text(trace.last, plot.unit);
      });
    }
    if (Charts.pinned() !== null) Charts.cross(Charts.pinned());
  },

  // The time that the address keeps: where the crosshair stands while nobody points at another.
  pinned() {
    const t = Number(new URLSearchParams(location.search).get("t"));
    const shell = Charts.data?.shell;
    return shell && shell.start <= t && t <= shell.end ? t : null;
  },

  // Pressed again at the same place, it is free again.
  pin(t) {
    const address = new URL(location.href);
    const [kept, span] = [Charts.pinned(), Charts.data.shell.end - Charts.data.shell.start];
    if (t === null || (kept !== null && Math.abs(t - kept) < span / 100)) address.searchParams.delete("t");
    else address.searchParams.set("t", Math.round(t));
    const placed = Page.placed === location.search;
    history.replaceState(null, "", address);
    if (placed) Page.placed = location.search; // the server says the same
  },

  clock(t) {
    const { zone_offset, start, end } = Charts.data.shell;
    const text = new Date(1000 * (t + zone_offset)).toISOString();
    return end - start > 86400 ? text.slice(5, 16).replace("T", " ") : text.slice(11, end - start > 7200 ? 16 : 19);
  },

  timeAt(box, clientX) {
    const { left, width } = box.getBoundingClientRect();
    const { start, end } = Charts.data.shell;
    const share = (clientX - left - Charts.LEFT) / (width - Charts.LEFT - Charts.RIGHT);
    return share >= 0 && share <= 1 ? start + share * (end - start) : null;
  },
};

Charts.observer = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      clearTimeout(Charts.leaving.get(target));
      if (isIntersecting) {
        target.dataset.near = "1";
        Charts.queue(target);
      } else {
        delete target.dataset.near;
        Charts.leaving.set(target, setTimeout(() => Charts.drop(target), Charts.AWAY));
      }
    }
    if (Charts.at !== null) Charts.cross(Charts.at);
  },
  { rootMargin: "200px" },
);

addEventListener("pointermove", (event) => {
  const box = event.target.closest?.(".pl");
  const t = box && Charts.data && Charts.timeAt(box, event.clientX);
  if (t === null || t === undefined) {
    if (Charts.under && !Charts.under.matches(":focus-visible")) Charts.clear();
    return;
  }
  Charts.under = box;
  requestAnimationFrame(() => Charts.under === box && Charts.cross(t));
});

// A tap on a phone loads the library for that chart; elsewhere a click keeps the crosshair where it is.
addEventListener("click", (event) => {
  const box = event.target.closest?.(".pl");
  const figure = box?.closest("figure[data-chart]");
  if (!figure || !Charts.data) return;
  const t = Charts.timeAt(box, event.clientX);
  if (!Charts.phone()) return void (t !== null && Charts.pin(t));
  Charts.tapped.add(figure.dataset.chart);
  Charts.queue(figure);
});

addEventListener("keydown", (event) => {
  const box = event.target.closest?.(".pl");
  if (!box || !Charts.data || !["ArrowLeft", "ArrowRight", "Enter", "Escape"].includes(event.key)) return;
  event.preventDefault();
  if (event.key === "Enter") return Charts.at === null || Charts.pin(Charts.at);
  if (event.key === "Escape") {
    Charts.pin(null);
    return Charts.clear();
  }
  const { start, end } = Charts.data.shell;
  const step = (end - start) / (event.shiftKey ? 12 : 60);
  Charts.under = box;
  Charts.cross(Math.min(end, Math.max(start, (Charts.at ?? end) + (event.key === "ArrowLeft" ? -step : step))));
});
addEventListener("focusout", (event) => event.target.closest?.(".pl") && Charts.clear());
addEventListener("resize", () => {
  clearTimeout(Charts.resizing);
  Charts.resizing = setTimeout(Charts.redraw, 200);
});
