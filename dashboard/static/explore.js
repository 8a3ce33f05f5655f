// Completion of an expression: functions and metrics, after `{` or `by (` the metric's labels, after `="` a label's values.
"use strict";

const Explore = {
  MOST: 12,
  FUNCTIONS: ["avg", "avg_over_time", "clamp_min", "count", "delta", "histogram_quantile", "increase", "label_replace",
    "max", "max_over_time", "min", "min_over_time", "predict_linear", "quantile", "quantile_over_time", "rate", "sum",
    "sum_over_time", "time", "topk"],
  field: document.getElementById("q"),
  list: document.getElementById("offers"),
  known: new Map(), // address -> names
  at: -1,
  turn: 0,

  async ask(path) {
    if (!Explore.known.has(path)) {
      const answer = await fetch(`${document.documentElement.dataset.root}${path}`, { headers: { Accept: "application/json" } });
      Explore.known.set(path, answer.ok ? (await answer.json()).data : []);
    }
    return Explore.known.get(path);
  },

  // Type, unit and help of a metric, in words; "" for what is none.
  async about(name) {
    const all = await Explore.ask("/api/v1/metadata?limit_per_metric=1");
    const found = (all[name] ?? all[name.replace(/_(?:bucket|sum|count)$/, "")])?.[0];
    return found ? `${found.type}${found.unit ? `, ${found.unit}` : ""}: ${found.help}` : "";
  },

  // What is being typed: where it begins, and what could stand there.
  place(text) {
    const value = /([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)\s*"([^"]*)$/.exec(text);
    const metric = /([a-zA-Z_:][\w:]*)\s*\{[^{}]*$/.exec(text)?.[1];
    const match = metric ? `?match[]=${encodeURIComponent(metric)}` : "";
    if (value && metric) return { word: value[2], from: () => Explore.ask(`/api/v1/label/${value[1]}/values${match}`) };
    const word = /[a-zA-Z_:][\w:]*$/.exec(text)?.[0] ?? "";
    if (metric) return { word, from: () => Explore.ask(`/api/v1/labels${match}`) };
    if (/\b(?:by|without|on|ignoring)\s*\([^()]*$/.test(text)) return { word, from: () => Explore.ask("/api/v1/labels") };
    if (word.length < 2) return null;
    return { word, from: async () => [...Explore.FUNCTIONS, ...(await Explore.ask("/api/v1/label/__name__/values"))] };
  },

  async offer() {
    const turn = ++Explore.turn;
    const before = Explore.field.value.slice(0, Explore.field.selectionStart);
    const place = Explore.place(before);
    let names = [];
    try {
      names = place ? await place.from() : [];
    } catch {
      // without completion the field is still a field
    }
    if (turn !== Explore.turn) return;
    const word = place?.word.toLowerCase() ?? "";
    const found = names.filter((name) => name.toLowerCase().includes(word) && name !== place.word);
    found.sort((a, b) => b.toLowerCase().startsWith(word) - a.toLowerCase().startsWith(word));
    const offered = found.slice(0, Explore.MOST);
    let words = [];
    try {
      words = await Promise.all(offered.map(Explore.about));
    } catch {
      // names alone are offers too
    }
    if (turn === Explore.turn) Explore.show(offered, place?.word.length ?? 0, words);
  },

  show(names, length, words = []) {
    Explore.at = -1;
    Explore.list.replaceChildren(...names.map((name, number) => {
      const item = document.createElement("li");
      item.id = `offer-${number}`;
      item.role = "option";
      item.ariaSelected = "false";
      item.textContent = name;
      item.dataset.name = name;
      item.dataset.length = length;
      if (words[number]) {
        const help = item.appendChild(document.createElement("small"));
        help.textContent = ` ${words[number]}`;
      }
      return item;
    }));
    Explore.list.hidden = !names.length;
    Explore.field.setAttribute("aria-expanded", String(names.length > 0));
    Explore.field.removeAttribute("aria-activedescendant");
  },

  choose(at) {
    const items = [...Explore.list.children];
    Explore.at = (at + items.length) % items.length;
    items.forEach((item, number) => (item.ariaSelected = String(number === Explore.at)));
    Explore.field.setAttribute("aria-activedescendant", items[Explore.at].id);
    items[Explore.at].scrollIntoView({ block: "nearest" });
  },

  take(item) {
    const { field } = Explore;
    const end = field.selectionStart;
    field.setRangeText(item.dataset.name, end - Number(item.dataset.length), end, "end");
    field.focus();
    Explore.close();
  },

  close() {
    Explore.turn += 1;
    Explore.show([], 0);
  },

  press(event) {
    if (Explore.list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const up = event.key === "ArrowUp";
      Explore.choose(Explore.at < 0 ? (up ? -1 : 0) : Explore.at + (up ? -1 : 1));
    } else if ((event.key === "Enter" || event.key === "Tab") && Explore.at >= 0) {
      event.preventDefault();
      Explore.take(Explore.list.children[Explore.at]);
    } else if (event.key === "Escape") {
      Explore.close();
    }
  },
};

Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "offers" })
  .forEach(([name, value]) => Explore.field.setAttribute(name, value));
Explore.field.addEventListener("input", Explore.offer);
Explore.field.addEventListener("keydown", Explore.press);
Explore.field.addEventListener("blur", () => Explore.close());
Explore.list.addEventListener("pointerdown", (event) => {
  event.preventDefault(); // the field keeps the focus
  const item = event.target.closest("[role=option]");
  if (item) Explore.take(item);
});
