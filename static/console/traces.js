// The home page: rows, steps and tabs without a full load; folding; the filter as one types.
import { fetchPart, fill, here, parse, part, plain, throttle } from "./parts.js";

const split = () => document.querySelector(".split:not(.is-inbox)");
const folded = new Set();

export const openTrace = () => document.querySelector(".trace")?.dataset.trace ?? null;

function current(selector, chosen) {
  for (const item of document.querySelectorAll(selector)) {
    if (item === chosen) item.setAttribute("aria-current", "true");
    else item.removeAttribute("aria-current");
  }
}

async function show(name, url) {
  const { html } = await fetchPart(url, name);
  const place = part(name);
  if (!place || html === undefined) return;
  fill(place, html);
  if (name !== "list") applyFolds();
}

async function openRow(row) {
  current(".row", row);
  const url = here({ trace: row.dataset.trace, step: null, tab: null, at: null });
  history.pushState(null, "", url);
  split().dataset.view = "detail";
  folded.clear();
  await show("detail", url);
  part("detail").scrollTop = 0;
  showStep();
  if (matchMedia("(max-width: 820px)").matches) scrollTo(0, 0);
}

// In a long tree the step that tells most may lie far down
export function showStep() {
  document.querySelector('.trace[data-long] .step[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
}

async function openStep(step) {
  current(".step", step);
  const url = here({ trace: openTrace(), step: step.dataset.step });
  history.replaceState(null, "", url);
  await show("inspector", url);
}

async function openTab(tab) {
  const step = document.querySelector('.step[aria-current="true"]')?.dataset.step ?? null;
  const url = here({ trace: openTrace(), step, tab: tab.dataset.tab });
  history.replaceState(null, "", url);
  await show("inspector", url);
}

async function list(url, push = true) {
  const target = new URL(url, location.href);
  // the address of the open trace stays, whatever the list shows
  const now = new URLSearchParams(location.search);
  for (const name of ["trace", "step", "tab", "at"]) {
    if (now.has(name)) target.searchParams.set(name, now.get(name));
  }
  if (push) history.pushState(null, "", target);
  else history.replaceState(null, "", target);
  await show("list", target);
  part("list").scrollTop = 0;
}

document.addEventListener("click", (event) => {
  if (!split() || !plain(event)) return;
  const take = (selector) => event.target.closest(selector);
  const found = take(".row[data-trace]") ?? take(".step[data-step]") ?? take(".tab[data-tab]") ?? take("[data-window]")
    ?? take(".back") ?? take(".split-list .menu-item, .chip-x, .new-pill, [data-follow], .older a, .day a, .split-list .empty a") ?? take(".twist");
  if (!found) return;
  event.preventDefault();
  if (found.matches(".row")) openRow(found);
  else if (found.matches(".step")) openStep(found);
  else if (found.matches(".tab")) openTab(found);
  else if (found.matches(".twist")) fold(found);
  else if (found.matches("[data-window]")) {
    history.replaceState(null, "", found.href);
    show("detail", found.href);
  } else if (found.matches(".back")) {
    split().dataset.view = "list";
    history.pushState(null, "", here({ trace: null, step: null, tab: null, at: null }));
  } else list(found.href);
});

// ---- filter while typing

let typed = null;
document.addEventListener("input", (event) => {
  if (!event.target.matches('.filters [type="search"]')) return;
  clearTimeout(typed);
  typed = setTimeout(() => list(here({ q: event.target.value.trim() || null, before: null }), false), 180);
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches(".filters")) return;
  event.preventDefault();
  clearTimeout(typed);
  list(here({ q: event.target.q.value.trim() || null, before: null }));
});

showStep();

addEventListener("popstate", () => {
  if (!split()) return;
  split().dataset.view = new URLSearchParams(location.search).has("trace") ? "detail" : "list";
  show("list", location.href);
  show("detail", location.href);
});

// ---- folding

const level = (item) => Number(item.dataset.depth);

function fold(twist, to = null) {
  const id = twist.parentElement.querySelector(".step").dataset.step;
  const close = to ?? twist.getAttribute("aria-expanded") === "true";
  if (close) folded.add(id);
  else folded.delete(id);
  applyFolds();
}

function applyFolds() {
  let hiddenBelow = Infinity;
  for (const item of document.querySelectorAll(".steps > li")) {
    const depth = level(item);
    if (depth <= hiddenBelow) hiddenBelow = Infinity;
    item.hidden = depth > hiddenBelow;
    const twist = item.querySelector(".twist");
    if (!twist) continue;
    const closed = folded.has(item.querySelector(".step").dataset.step);
    twist.setAttribute("aria-expanded", String(!closed));
    if (closed && hiddenBelow === Infinity) hiddenBelow = depth;
  }
}

document.addEventListener("keydown", (event) => {
  const step = event.target.closest?.(".step");
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  const item = step.parentElement;
  const twist = item.querySelector(".twist");
  const open = twist?.getAttribute("aria-expanded") === "true";
  const all = [...document.querySelectorAll(".steps > li:not([hidden])")];
  const at = all.indexOf(item);
  const go = (target) => target?.querySelector(".step").focus();
  const act = {
    ArrowLeft: () => (twist && open ? fold(twist, true) : go(all.slice(0, at).findLast((other) => level(other) < level(item)))),
    ArrowRight: () => (twist && !open ? fold(twist, false) : go(all[at + 1])),
    ArrowDown: () => go(all[at + 1]),
    ArrowUp: () => go(all[at - 1]),
  }[event.key];
  if (act) { event.preventDefault(); act(); }
});

// ---- what is live

const following = () => {
  const button = document.querySelector("[data-follow]");
  return button?.getAttribute("aria-pressed") === "true" && part("list").scrollTop < 40
    && !new URLSearchParams(location.search).has("before");
};

export const refreshDetail = throttle(150, async () => {
  if (openTrace() && !part("detail").contains(document.querySelector("details[open]"))) {
    const step = document.querySelector('.step[aria-current="true"]')?.dataset.step ?? null;
    await show("detail", here({ trace: openTrace(), step }));
  }
});

// New rows come in at the top while following; otherwise they wait behind the pill
export const refreshList = throttle(300, async () => {
  const place = part("list");
  if (!place) return;
  const { html } = await fetchPart(here({ trace: openTrace(), before: following() ? null : new URLSearchParams(location.search).get("before") }), "list");
  const fresh = parse(html);
  const known = new Map([...place.querySelectorAll(".row")].map((row) => [row.dataset.trace, row]));
  const rows = [...fresh.querySelectorAll(".row")];
  const added = rows.filter((row) => !known.has(row.dataset.trace));
  if (following()) {
    for (const row of added) if (known.size) row.dataset.fresh = "";
    insert(place, fresh);
    pill(0);
    return;
  }
  for (const row of rows) {
    const old = known.get(row.dataset.trace);
    if (old && old !== document.activeElement) old.replaceWith(row);
  }
  if (!new URLSearchParams(location.search).has("before")) pill(added.length);
});

// The head stays while somebody types or chooses in it
function insert(place, fresh) {
  const head = place.querySelector(".pane-head");
  if (!head.contains(document.activeElement) && !head.querySelector("details[open]")) {
    const holder = document.createElement("div");
    holder.append(fresh);
    fill(place, holder.innerHTML);
    return;
  }
  const body = [...fresh.children].filter((item) => !item.matches(".pane-head"));
  place.replaceChildren(head, ...body);
}

function pill(count) {
  const button = document.querySelector(".new-pill[data-new]");
  if (!button) return;
  button.hidden = count === 0;
  const text = button.querySelector("[data-new-text]");
  const words = count === 1 ? text.dataset.one : text.dataset.other.replace("%", count >= 100 ? "100+" : count);
  text.textContent = words;
  if (count) announce(words);
}

let spoke = 0;
function announce(words) {
  if (Date.now() - spoke < 5000) return;
  spoke = Date.now();
  document.getElementById("announcer").textContent = words;
}
