// The Run drawer on every page; on /run itself the same form works in place.
import { upgradeEditors, showProblem } from "./editor.js";
import { fetchPart, fill, part, plain, token } from "./parts.js";

const drawer = document.getElementById("run-drawer");
const onPage = () => document.querySelector(".run-page .run") !== null;
const box = (inside) => inside.closest(".run").parentElement;
let waiting = null;

async function load(into, url) {
  const { html } = await fetchPart(url, "drawer");
  fill(into, html);
  upgradeEditors(into);
  fit(into);
}

export async function openRun(url) {
  if (onPage()) { location.href = url; return; }
  await load(drawer, url);
  if (!drawer.open) drawer.showModal();
  drawer.querySelector("select, textarea, input:not([type=hidden])")?.focus();
}

// Updated keys belong to the update hooks only
function fit(root) {
  const hook = root.querySelector("[data-hook]");
  const keys = root.querySelector("[data-only-update]");
  if (hook && keys) keys.hidden = !hook.value.endsWith("Update");
}

// Another event brings its sample, unless something else was written
function resample(event) {
  const area = event.closest("form").querySelector("textarea");
  const samples = [...event.options].map((option) => option.dataset.sample);
  if (area.value.trim() && !samples.includes(area.value)) return;
  area.value = event.selectedOptions[0].dataset.sample;
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

function problems(run, problem) {
  for (const place of run.querySelectorAll("[data-problem]")) {
    const mine = problem?.field === place.dataset.problem;
    if (place.dataset.problem === "payload") continue;
    place.hidden = !mine;
    if (mine) place.querySelector("span").textContent = [problem.message, problem.hint].filter(Boolean).join(" ");
  }
  const editor = run.querySelector("[data-editor]");
  if (editor) showProblem(editor, problem?.field === "payload" ? problem : null);
  if (!problem) return;
  const field = problem.field === "payload" ? "textarea" : `[name="${problem.field}"]`;
  const control = run.querySelector(field);
  control?.focus();
  if (problem.field === "payload" && problem.line) caret(control, problem.line, problem.column);
}

function caret(area, line, column) {
  const start = area.value.split("\n").slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0) + column - 1;
  area.setSelectionRange(start, start);
}

function busy(run, since) {
  const button = run.querySelector('.drawer-foot [type="submit"]');
  const [idle, label] = [button.querySelector("[data-idle]"), button.querySelector("[data-busy]")];
  label.dataset.pattern ??= label.textContent;
  const working = since !== null;
  idle.hidden = working;
  label.hidden = !working;
  button.setAttribute("aria-disabled", String(working));
  run.querySelector("[data-cancel]").hidden = !working;
  const results = part("result", run);
  if (working) {
    results.dataset.stale = "";
    label.textContent = label.dataset.pattern.replace("%", `${((performance.now() - since) / 1000).toFixed(1)} s`);
  } else delete results.dataset.stale;
}

async function send(form) {
  if (waiting) return;
  const run = form.closest(".run");
  const started = performance.now();
  waiting = new AbortController();
  busy(run, started);
  const timer = setInterval(() => busy(run, started), 100);
  try {
    const answer = await fetchPart("/run", "result", {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { "X-Lean-Emu-Token": token },
      signal: waiting.signal,
    });
    problems(run, answer.data?.problem ?? null);
    if (answer.html) {
      const results = part("result", run);
      fill(results, answer.html);
      results.querySelector(".result")?.scrollIntoView({ block: "nearest" });
    }
  } catch (error) {
    if (error.name !== "AbortError") problems(run, { field: "form", message: error.message });
  } finally {
    clearInterval(timer);
    waiting = null;
    busy(run, null);
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-run-form]")) return;
  event.preventDefault();
  send(event.target);
});

document.addEventListener("change", (event) => {
  const run = event.target.closest(".run");
  if (!run) return;
  fit(run);
  if (event.target.matches("[data-event]")) resample(event.target);
  if (event.target.name === "as" && event.target.value === "user") run.querySelector('[name="who"]').focus();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = (drawer.open ? drawer : document).querySelector("[data-run-form]");
  if (form) { event.preventDefault(); send(form); }
});

document.addEventListener("click", (event) => {
  if (!plain(event)) return;
  const opener = event.target.closest("[data-run]");
  if (opener && !onPage()) { event.preventDefault(); openRun(opener.href); return; }
  const inside = event.target.closest(".run [data-run-tab], .run [data-history], .run [data-close], .run [data-cancel]");
  if (!inside) return;
  event.preventDefault();
  if (inside.matches("[data-close]")) drawer.close();
  else if (inside.matches("[data-cancel]")) waiting?.abort();
  else load(box(inside), inside.href);
});

fit(document);
