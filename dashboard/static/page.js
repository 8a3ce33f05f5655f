// The page as it lives: its data, its span of time, and new ticks. The server draws; here its answers are put in place.
"use strict";

document.documentElement.classList.add("js");

const Page = {
  data: null,
  placed: location.search, // of the HTML that stands here
  told: document.title,
  facts: "", // of the data, as text: whether the next answer says anything else
  failed: 0,
  request: null,
  timer: 0,
  TASK: 8, // ms of a piece of work
  PATIENCE: 20000, // ms after which an answer will not come any more

  charts: () => document.querySelector("[data-charts]"),

  // Ask the page's own address again: as JSON for the charts, as HTML for all else. One answer at a time.
  async refresh({ tick = false } = {}) {
    Page.request?.abort();
    const { signal } = (Page.request = new AbortController());
    const late = setTimeout(() => (document.getElementById("wait").hidden = false), tick ? 60000 : 400);
    try {
      const data = JSON.parse(await Page.fetch("application/json", signal));
      const facts = Page.factsOf(data);
      if (location.search !== Page.placed || Page.failed || (Page.data && facts !== Page.facts)) {
        await Page.place(await Page.fetch("text/html", signal), Page.breaths(signal));
        Page.placed = location.search;
      }
      Page.data = data;
      Page.facts = facts;
      Page.failed = 0;
      Units.scales = data.shell.scales;
      Page.tell(data.shell.title + (["stale", "unreachable"].includes(data.shell.freshness) ? ", no new samples" : ""));
      Charts.show(data);
    } catch (error) {
      if (error.name === "AbortError") return;
      Page.failed += 1;
      Page.offline(error);
    } finally {
      clearTimeout(late);
      if (Page.request?.signal === signal) document.getElementById("wait").hidden = true;
    }
    Page.plan();
  },

  async fetch(kind, signal) {
    const address = new URL(location.href);
    if (Page.charts()) address.searchParams.set("width", Charts.width());
    address.hash = "";
    const ends = AbortSignal.any([signal, AbortSignal.timeout(Page.PATIENCE)]);
    const answer = await fetch(address, { headers: { Accept: kind }, signal: ends });
    if (answer.status === 401 || answer.redirected) location.reload();
    if (!answer.ok && answer.status !== 400) throw new Error(await Page.refusal(answer));
    return answer.text();
  },

  // What the server says is wrong; of a 500 with the number under which its log has more.
  async refusal(answer) {
    const { error } = await answer.json().catch(() => ({}));
    return error ?? `It answered with status ${answer.status}.`;
  },

  // What changes when anything was measured, or anything happened, since the last answer.
  factsOf: ({ shell, ...rest }) => JSON.stringify({ ...rest, at: [shell.last_sample, shell.from_, shell.to] }),

  // Long work in pieces: wait for the next task once a piece took TASK ms. Ends in an error where a newer answer is asked for.
  breaths(signal) {
    let began = performance.now();
    return async (now = false) => {
      if (!now && performance.now() - began < Page.TASK) return;
      await new Promise((next) => setTimeout(next));
      signal.throwIfAborted();
      began = performance.now();
    };
  },

  // Exchange what the answer has anew. What is open stays open; what has the focus, or was typed into, stays as it is.
  async place(html, breath) {
    await breath(true);
    const fresh = new DOMParser().parseFromString(html, "text/html");
    document.title = fresh.title;
    await breath(true);
    for (const old of document.querySelectorAll("[data-swap]")) {
      await breath();
      const now = fresh.getElementById(old.id);
      if (!now) old.remove();
      else if (old.id === "late" || !old.contains(document.activeElement)) Page.exchange(old, now);
    }
    const main = document.getElementById("main");
    for (const now of fresh.querySelectorAll("main > [data-swap]")) {
      if (!document.getElementById(now.id)) {
        const before = now.previousElementSibling && document.getElementById(now.previousElementSibling.id);
        before ? before.after(now) : main.prepend(now);
      }
    }
    await breath(true);
    await Charts.place(fresh, breath);
    await breath(true);
  },

  exchange(old, now) {
    if (old.outerHTML === now.outerHTML) return;
    if ([...old.querySelectorAll("input,textarea")].some((field) => field.value !== field.defaultValue)) return;
    const open = [...old.querySelectorAll("details")].map((details) => details.open);
    now.querySelectorAll("details").forEach((details, at) => (details.open = open[at] ?? details.open));
    old.replaceWith(now);
  },

  // To who listens and does not look: once, and nothing of a tick that is like the one before.
  tell(words) {
    if (words !== Page.told) document.getElementById("told").textContent = words;
    Page.told = words;
  },

  // Not before a tick can be there, and not before the window has moved by a pixel.
  plan() {
    clearTimeout(Page.timer);
    const shell = Page.data?.shell;
    if (shell && !shell.live && !Page.failed) return;
    const pixel = shell && Page.charts() ? (shell.end - shell.start) / Charts.width() : 0;
    const seconds = Page.failed ? Math.min(60, 5 * Page.failed) : Math.max(shell?.interval ?? 10, pixel);
    const starting = shell?.freshness === "starting" ? 2 : seconds;
    Page.timer = setTimeout(() => {
      if (document.visibilityState === "visible") Page.refresh({ tick: true });
      else Page.waiting = true;
    }, 1000 * Math.min(seconds, starting, 300));
  },

  offline(error) {
    const late = document.getElementById("late");
    const last = Page.data?.shell.last_sample;
    const ago = last ? ` Last sample ${Math.max(1, Math.round((Date.now() / 1000 - last) / 60))} min ago,` : "";
    const why = error.name === "Error" ? `Raingauge could not answer: ${error.message}` : "No answer from Raingauge.";
    const retry = document.createElement("button");
    retry.className = "quiet";
    retry.textContent = "Retry";
    retry.addEventListener("click", () => Page.refresh());
    Page.tell("No answer from Raingauge.");
    late.replaceChildren(`${why}${ago} retrying `, retry);
    document.getElementById("fresh").className = "fresh is-stale";
  },

  // Another span of time: a new entry in the browser's history, so that Back works.
  go(from, to) {
    const address = new URL(location.href);
    address.searchParams.set("from", from);
    address.searchParams.set("to", to);
    history.pushState(null, "", address);
    return Page.refresh();
  },

  span: (start, end) => Page.go(Page.iso(start), Page.iso(end)),
  iso: (t) => new Date(1000 * Math.round(t)).toISOString().replace(".000", ""),
};

document.addEventListener("DOMContentLoaded", () => Page.refresh());
addEventListener("popstate", () => Page.refresh());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && Page.waiting) {
    Page.waiting = false;
    Page.refresh({ tick: true });
  }
});
addEventListener("online", () => Page.failed && Page.refresh({ tick: true }));
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-range]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const wanted = new URL(link.href).searchParams;
  link.blur();
  Page.go(wanted.get("from"), wanted.get("to"));
});
