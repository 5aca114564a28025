document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = button.dataset.copy || button.parentElement.querySelector("code")?.textContent || "";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    return; // no permission: the text is there to be selected
  }
  const use = button.querySelector("use");
  const said = button.querySelector(".copied");
  use?.setAttribute("href", "/static/icons.svg#check");
  button.dataset.copied = "";
  if (said) { said.hidden = false; said.previousElementSibling.hidden = true; }
  setTimeout(() => {
    use?.setAttribute("href", "/static/icons.svg#copy");
    delete button.dataset.copied;
    if (said) { said.hidden = true; said.previousElementSibling.hidden = false; }
  }, 1400);
});
