// Forms that change something and come back to the same page: the middle is swapped, the reader stays where they were.
import { fetchPart, fill, parse, part } from "./parts.js";
import { refreshTop } from "./live.js";

async function send(form, submitter) {
  const body = new URLSearchParams(new FormData(form, submitter));
  form.setAttribute("aria-busy", "true");
  if (submitter) submitter.disabled = true;
  const headers = { "X-Lean-Emu-Part": "page" };
  // not form.action: a button of that name hides it
  const response = await fetch(form.getAttribute("action"), { method: "POST", body, headers });
  const main = part("main", parse(await response.text()));
  if (!main) { location.reload(); return; }
  const focus = submitter?.id;
  const open = document.querySelector("details[open][data-menu]")?.dataset.menu;
  part("main").className = main.className;
  fill(part("main"), main.innerHTML);
  if (response.ok && response.url) history.replaceState(null, "", response.url);
  if (open && !response.ok) document.querySelector(`[data-menu="${open}"]`).open = true;
  if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
  document.querySelector('[aria-invalid="true"]')?.focus();
  const said = document.querySelector(".notice[role=status], .main .banner span");
  if (said) document.getElementById("announcer").textContent = said.textContent;
  refreshTop();
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-inplace]")) return;
  event.preventDefault();
  if (form.hasAttribute("aria-busy")) return;
  send(form, event.submitter).catch(() => location.reload());
});

// Ctrl Enter sends what is being written
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest("form[data-typing]");
  if (form) { event.preventDefault(); form.requestSubmit(form.querySelector('[data-kind="primary"]')); }
});

// ---- a cron expression in words, as it is typed

let typed = null;
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-typing]");
  if (!form || !["cron", "zone"].includes(event.target.name)) return;
  event.target.removeAttribute("aria-invalid");
  clearTimeout(typed);
  typed = setTimeout(async () => {
    const query = new URLSearchParams({ cron: form.cron.value, zone: form.zone.value });
    const { html } = await fetchPart(`/tasks/cron?${query}`, "cron");
    if (html !== undefined) fill(part("cron", form), html);
    for (const place of form.querySelectorAll('[data-problem="cron"], [data-problem="zone"]')) place.hidden = true;
  }, 150);
});
