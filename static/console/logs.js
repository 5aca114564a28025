// The log: what is new comes to the end, and the reader goes along while they are there.
import { fetchPart, fill, here, parse, part, plain, throttle } from "./parts.js";

const MOST = 2000; // lines in the page; more make it slow to scroll

const log = () => document.querySelector("[data-log]");
const scroller = () => (matchMedia("(max-width: 820px)").matches ? document.scrollingElement : part("main"));
const atEnd = () => {
  const box = scroller();
  return box.scrollHeight - box.scrollTop - box.clientHeight < 80;
};
const toEnd = () => { const box = scroller(); box.scrollTop = box.scrollHeight; };

export const addLines = throttle(200, async () => {
  if (location.pathname !== "/logs") return;
  if (document.querySelector("[data-no-lines]")) { location.reload(); return; }
  const list = log();
  if (!list || !list.hasAttribute("data-following")) return;
  const response = await fetchPart(here({ after: list.dataset.newest, before: null }), "lines");
  const fresh = [...parse(response.html).querySelectorAll("li")];
  if (!fresh.length || list !== log()) return;
  document.querySelector("[data-no-match]")?.remove();
  const along = atEnd();
  list.append(...fresh);
  list.dataset.newest = fresh.at(-1).dataset.number;
  while (along && list.children.length > MOST) list.firstElementChild.remove();
  if (along) toEnd();
});

async function show(url, push) {
  history[push ? "pushState" : "replaceState"](null, "", url);
  const { html } = await fetchPart(url, "page");
  const field = document.activeElement?.matches("[data-log-filter] [type=search]") ? document.activeElement : null;
  fill(part("main"), part("main", parse(html)).innerHTML);
  const fresh = field && document.querySelector("[data-log-filter] [type=search]");
  if (fresh) { // somebody goes on typing
    fresh.value = field.value;
    fresh.setSelectionRange(field.selectionStart, field.selectionEnd);
  }
  if (log()?.hasAttribute("data-following")) toEnd();
}

document.addEventListener("click", (event) => {
  if (!log() || !plain(event)) return;
  const found = event.target.closest("[data-log-follow], .log-head .menu-item, .log-head .chip-x");
  if (!found) return;
  event.preventDefault();
  show(found.href, true);
});

let typed = null;
document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-log-filter] [type=search]")) return;
  event.stopImmediatePropagation(); // the list of traces has its own
  clearTimeout(typed);
  const sought = event.target.value.trim() || null;
  typed = setTimeout(() => show(here({ q: sought, before: null }), false), 180);
}, true);
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-log-filter]")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  show(here({ q: event.target.q.value.trim() || null, before: null }), true);
}, true);
addEventListener("popstate", () => { if (log()) location.reload(); });

if (log()?.hasAttribute("data-following") && !location.hash) toEnd();
