// One stream of notices; what they are about is fetched as rendered parts.
import { fetchPart, fill, parse, part, throttle } from "./parts.js";
import { addLines } from "./logs.js";
import { openTrace, refreshDetail, refreshList } from "./traces.js";

let source = null;
let lost = null;
let state = null;

const onTraces = () => document.querySelector(".split:not(.is-inbox)") !== null;

export const refreshTop = throttle(100, async () => {
  for (const name of ["top", "banner"]) {
    const { html } = await fetchPart(location.href, name);
    if (part(name)) fill(part(name), html);
  }
});

// Somebody types or chooses there
const busy = (main) => main.querySelector("[data-typing], details[open]") !== null
  || (main.contains(document.activeElement) && document.activeElement.matches("input, textarea, select"));

// Pages that are tables of what is known: the whole middle again
const refreshMain = throttle(1000, async () => {
  if (!["/hooks", "/inbox", "/tasks"].includes(location.pathname)) return;
  if (busy(part("main"))) return;
  const { html } = await fetchPart(location.href, "page");
  const fresh = part("main", parse(html));
  if (!fresh || fresh.innerHTML === part("main").innerHTML) return;
  if (busy(part("main"))) return;
  part("main").className = fresh.className; // an empty page may have become one with panes
  fill(part("main"), fresh.innerHTML);
});

function traces(event) {
  const { traces: changed } = JSON.parse(event.data);
  if (document.querySelector("[data-empty]")) { location.reload(); return; }
  if (onTraces()) {
    refreshList();
    if (changed.some((trace) => trace.id === openTrace())) refreshDetail();
  } else refreshMain();
}

function stateChanged(event) {
  const first = state === null;
  document.documentElement.dataset.live = ""; // connected: tests wait for it, styles may use it
  if (state !== event.data) {
    state = event.data;
    if (!first) { refreshTop(); refreshMain(); }
  }
}

function offline() {
  const instance = document.querySelector(".instance");
  if (!instance) return;
  instance.dataset.state = "offline";
  const word = instance.querySelector(".instance-word");
  word.textContent = instance.dataset.offline;
}

function connect() {
  source = new EventSource("/events");
  source.addEventListener("traces", traces);
  source.addEventListener("state", stateChanged);
  source.addEventListener("logs", addLines);
  source.addEventListener("open", () => {
    clearTimeout(lost);
    if (lost !== null) { refreshTop(); addLines(); if (onTraces()) refreshList(); }
    lost = null;
  });
  source.addEventListener("error", () => {
    lost ??= setTimeout(offline, 1500);
    // the browser gives up for good on some errors; then it is on us to try again
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
  });
}

// A browser opens six connections to one host: a tab nobody sees gives its own back
document.addEventListener("visibilitychange", () => {
  if (document.hidden) { source.close(); return; }
  connect();
  refreshTop();
  addLines();
  if (onTraces()) { refreshList(); refreshDetail(); }
});

// "in 12 s" grows old by itself
setInterval(() => {
  if (location.pathname === "/tasks" && !document.hidden) refreshMain();
}, 5000);

if (!document.hidden) connect();
