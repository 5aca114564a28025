// Pieces of pages, rendered by the server: fetch one, put it in its place, leave the reader where they were.

export const token = document.querySelector('meta[name="lean-emu-token"]').content;
export const part = (name, from = document) => from.querySelector(`[data-part="${name}"]`);

export async function fetchPart(url, name, options = {}) {
  const headers = { "X-Lean-Emu-Part": name, ...options.headers };
  const response = await fetch(url, { ...options, headers });
  const type = response.headers.get("Content-Type") ?? "";
  if (type.includes("json")) return { status: response.status, data: await response.json() };
  const text = await response.text();
  if (!response.ok && response.status !== 404) throw new Error(text.slice(0, 300));
  return { status: response.status, html: text };
}

export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

export function fill(element, html) {
  const focused = element.contains(document.activeElement) ? address(document.activeElement) : null;
  const scroll = element.scrollTop;
  element.replaceChildren(parse(html));
  element.scrollTop = scroll;
  if (focused) element.querySelector(focused)?.focus({ preventScroll: true });
}

// What finds the same element in the new version
function address(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  for (const name of ["data-trace", "data-step", "data-tab", "data-run-tab", "data-follow", "name", "href"]) {
    if (element.hasAttribute(name)) return `[${name}="${CSS.escape(element.getAttribute(name))}"]`;
  }
  return null;
}

export function here(changes) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) query.delete(name);
    else query.set(name, value);
  }
  return query.size ? `${location.pathname}?${query}` : location.pathname;
}

// Runs at once, then at most every `ms`; the last call is never lost
export function throttle(ms, work) {
  let timer = null;
  let again = false;
  const run = async () => {
    again = false;
    try { await work(); } catch { /* the stream says when the connection is gone */ }
    timer = setTimeout(() => { timer = null; if (again) call(); }, ms);
  };
  const call = () => {
    if (timer !== null) { again = true; return; }
    timer = -1;
    run();
  };
  return call;
}

export const plain = (event) => event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
