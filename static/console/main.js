// Everything on these pages is a link or a form first; the modules save round trips and add what is live.
import "./copy.js";
import "./theme.js";
import "./keys.js";
import { upgradeEditors } from "./editor.js";
import "./run.js";
import "./traces.js";
import "./live.js";
import "./forms.js";
import "./data.js";
import "./logs.js";

document.documentElement.dataset.scripted = "";
upgradeEditors(document);

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    event.preventDefault();
    document.getElementById(opener.dataset.dialog).showModal();
  }
  for (const menu of document.querySelectorAll("details.menu-wrap[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  if (event.target.matches("dialog")) event.target.close(); // a click on the backdrop
});
