// What people press: theme, copy, keyboard.
"use strict";

const Controls = {
  theme() {
    const root = document.documentElement;
    const light = matchMedia("(prefers-color-scheme: light)").matches;
    root.dataset.theme = (root.dataset.theme || (light ? "light" : "dark")) === "dark" ? "light" : "dark";
    document.cookie = `theme=${root.dataset.theme};path=/;max-age=31536000;samesite=lax`;
    Charts.redraw();
  },

  async copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      Controls.copyByHand(text); // the clipboard needs TLS or localhost
    }
    const told = document.getElementById("told");
    told.textContent = "Copied";
    button.classList.add("done");
    setTimeout(() => {
      button.classList.remove("done");
      told.textContent = "";
    }, 1200);
  },

  copyByHand(text) {
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  },

  link(button) {
    const address = new URL(location.href);
    address.searchParams.set("from", button.dataset.from);
    address.searchParams.set("to", button.dataset.to);
    return Controls.copy(address.href, button);
  },

  // --- Keyboard ---

  prefix: false,
  enabled: () => !/(?:^|; )keys=off/.test(document.cookie),

  shift(share) {
    const { start, end, now } = Page.data.shell;
    const by = Math.min(share * (end - start), now - end);
    Page.span(start + by, end + by);
  },

  scale(factor) {
    const { start, end, live } = Page.data.shell;
    const length = Math.max(60, (end - start) * factor);
    if (live) return Page.go(`now-${Math.round(length)}s`, "now");
    const middle = (start + end) / 2;
    Charts.settle(middle - length / 2, middle + length / 2);
  },

  press(key) {
    if (Controls.prefix) {
      Controls.prefix = false;
      const place = document.querySelector(`.nav a[data-key="${CSS.escape(key)}"]`)?.getAttribute("href");
      if (place) location.assign(place);
      return;
    }
    const shell = Page.data?.shell;
    const actions = {
      g: () => (Controls.prefix = true),
      "?": () => Controls.help(),
      "/": () => Controls.places(),
      Enter: () => Controls.enter(),
      j: () => Controls.step(1),
      k: () => Controls.step(-1),
      a: () => Controls.reach('form[action$="/acknowledge"]', 'input[name="comment"], button'),
      s: () => Controls.reach('form[action$="/acknowledge"]', '[formaction$="/silence"], a[href$="#people"]'),
      ...(shell && Page.charts() && {
        "[": () => Controls.shift(-0.5),
        "]": () => Controls.shift(0.5),
        "-": () => Controls.scale(2),
        "+": () => Controls.scale(0.5),
        "=": () => Controls.scale(0.5),
        c: () => document.querySelector("[data-compare]")?.click(),
        l: () => Page.go(`now-${Math.round(shell.end - shell.start)}s`, "now"),
      }),
    };
    actions[key]?.();
  },

  // The rows of tables and lists, and the cards; Enter opens where a row leads.
  ROWS: "main :is(article, tbody tr, li, a.cell):not(article *, tr *, .first *)",
  rows: () => [...document.querySelectorAll(Controls.ROWS)].filter((each) => each.checkVisibility()),

  step(by) {
    const rows = Controls.rows();
    const at = rows.indexOf(document.activeElement.closest(Controls.ROWS));
    const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by))];
    if (!next) return;
    if (!next.href) next.tabIndex = -1;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  },

  enter() {
    if (document.activeElement.matches(Controls.ROWS)) document.activeElement.querySelector("a[href], summary")?.click();
  },

  // Only the focus goes there: what is decided for others takes one key more.
  reach(form, part) {
    const here = document.activeElement.closest("main :is(article, section)");
    (here?.querySelector(form) ?? document.querySelector(form))?.querySelector(part)?.focus();
  },

  // By name: the pages, and whatever this page leads to. What is no place is looked for in Explore.
  places() {
    const links = [...document.querySelectorAll('.nav a[href], main a[href^="/"]')];
    const word = (link) => (link.querySelector(".words, b") ?? link).textContent.trim().replace(/\s+/g, " ");
    Controls.known = new Map(links.map((link) => [word(link), link.getAttribute("href")]).reverse());
    const options = [...Controls.known.keys()].reverse().filter(Boolean).map((name) => Object.assign(document.createElement("option"), { value: name }));
    document.getElementById("places").replaceChildren(...options);
    document.getElementById("goto").showModal();
    document.getElementById("goto-name").value = "";
  },

  leave(name) {
    const wanted = name.trim().toLowerCase();
    if (!wanted) return;
    const names = [...Controls.known.keys()].reverse();
    const found = names.find((each) => each.toLowerCase() === wanted) ?? names.find((each) => each.toLowerCase().startsWith(wanted));
    location.assign(found ? Controls.known.get(found) : `${document.documentElement.dataset.root}/explore?q=${encodeURIComponent(name.trim())}`);
  },

  help() {
    document.getElementById("keys").checked = Controls.enabled();
    document.getElementById("help").showModal();
  },
};

addEventListener("keydown", (event) => {
  // A dialog that was just closed may keep the focus until the next frame.
  const typing = event.target.closest("input,textarea,select,dialog[open]");
  if (event.ctrlKey || event.metaKey || event.altKey || typing) return;
  if (event.key !== "?" && !Controls.enabled()) return;
  if (event.key === "/" || event.key === "a" || event.key === "s") event.preventDefault(); // it is not typed where it leads
  Controls.press(event.key);
});
document.addEventListener("click", (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) return void Controls.copy(copy.dataset.copy, copy);
  const act = event.target.closest("[data-act]");
  if (act) return void Controls[act.dataset.act](act);
  const open = document.querySelector("details.pop[open]");
  if (open && !open.contains(event.target)) open.open = false;
});
document.addEventListener("submit", (event) => event.target.id === "goto-form" && Controls.leave(document.getElementById("goto-name").value));
document.addEventListener("change", (event) => {
  if (event.target.id !== "keys") return;
  document.cookie = `keys=off;path=/;max-age=${event.target.checked ? 0 : 31536000};samesite=lax`;
});
matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => Charts.redraw());
for (const field of document.querySelectorAll("[data-zone]")) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
}
