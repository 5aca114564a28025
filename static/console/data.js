// The data page: an object opens beside its table without losing the place in it.
import { upgradeEditors } from "./editor.js";
import { fetchPart, fill, parse, part, plain } from "./parts.js";

const rows = () => document.querySelector(".data-rows");
const panel = () => document.querySelector(".data > .data-row");

async function show(url, push) {
  const at = [rows()?.scrollTop ?? 0, rows()?.scrollLeft ?? 0];
  const { html } = await fetchPart(url, "page");
  const main = part("main", parse(html));
  if (!main || !main.querySelector(".data")) { location.href = url; return; }
  part("main").className = main.className;
  fill(part("main"), main.innerHTML);
  upgradeEditors(part("main"));
  if (push) history.pushState(null, "", url);
  if (rows()) [rows().scrollTop, rows().scrollLeft] = at;
}

document.addEventListener("click", (event) => {
  if (!document.querySelector(".data") || !plain(event)) return;
  const link = event.target.closest(".table-grid .id a, [data-close-row]");
  if (!link) return;
  event.preventDefault();
  show(link.href, true);
});

addEventListener("popstate", () => {
  if (location.pathname === "/data") show(location.href, false);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || !panel() || document.querySelector("dialog[open], details.menu-wrap[open]")) return;
  if (event.target.closest("textarea, input, select")) { event.target.blur(); return; } // what is typed is not thrown away
  panel().querySelector("[data-close-row]").click();
});
