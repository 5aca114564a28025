// The keyboard. Letters never work inside a field, and can be switched off as a whole.

const STORE = "lean-emu-letters";
const lettersOn = () => localStorage.getItem(STORE) !== "off";
const box = document.querySelector("[data-letters]");
if (box) {
  box.checked = lettersOn();
  box.addEventListener("change", () => localStorage.setItem(STORE, box.checked ? "on" : "off"));
}

const shown = (selector) => [...document.querySelectorAll(selector)].filter((item) => item.offsetParent);
let goes = -Infinity; // when g was pressed

function move(by) {
  const inTree = document.activeElement?.closest?.(".steps");
  const items = shown(inTree ? ".step" : ".row, .past, .table .last");
  const at = items.indexOf(document.activeElement);
  const current = items.findIndex((item) => item.getAttribute("aria-current") === "true");
  const next = at < 0 ? Math.max(current, 0) : at + by;
  items[Math.max(0, Math.min(items.length - 1, next))]?.focus();
}

const letters = {
  "?": () => document.getElementById("keys").showModal(),
  "/": () => shown('[type="search"]')[0]?.focus(),
  n: () => shown("[data-run]")[0]?.click(),
  j: () => move(1),
  k: () => move(-1),
  g: () => { goes = performance.now(); },
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  if (event.key === "Escape") return escape(event);
  if (event.target.closest("input, select, textarea, [contenteditable]")) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]") || !lettersOn()) return;
  if (performance.now() - goes < 1200) {
    goes = -Infinity;
    const target = document.querySelector(`.rail [data-key="g ${CSS.escape(event.key)}"]`);
    if (target) { event.preventDefault(); target.click(); }
    return;
  }
  const act = letters[event.key];
  if (act) { event.preventDefault(); act(); }
});

function escape(event) {
  const menu = document.querySelector("details.menu-wrap[open]");
  if (menu) { menu.open = false; menu.querySelector("summary").focus(); return; }
  if (event.target.matches('[type="search"]')) event.target.blur();
  else if (!document.querySelector("dialog[open]") && matchMedia("(max-width: 820px)").matches) shown(".back")[0]?.click();
}

// Tabs: arrows move between them
document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.(".tab");
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!tab || !by) return;
  event.preventDefault();
  const tabs = [...tab.parentElement.querySelectorAll(".tab")];
  tabs[(tabs.indexOf(tab) + by + tabs.length) % tabs.length].focus();
});
