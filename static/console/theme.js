import { token } from "./parts.js";

const root = document.documentElement;
const button = document.querySelector("[data-theme-switch]");
const dark = matchMedia("(prefers-color-scheme: dark)");

// From the system's look first to the other one, so that the first press always shows
const order = () => (dark.matches ? ["system", "light", "dark"] : ["system", "dark", "light"]);

button?.addEventListener("click", (event) => {
  event.preventDefault();
  const names = order();
  const next = names[(names.indexOf(root.dataset.theme ?? "system") + 1) % names.length];
  if (next === "system") delete root.dataset.theme;
  else root.dataset.theme = next;
  for (const name of button.querySelectorAll("[data-theme-name]")) name.hidden = name.dataset.themeName !== next;
  fetch("/preferences", {
    method: "POST",
    redirect: "manual",
    headers: { "X-Lean-Emu-Token": token },
    body: new URLSearchParams({ theme: next }),
  });
});
