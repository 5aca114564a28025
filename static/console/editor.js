// JSON5 in colour behind a real text area: undo, input methods and screen readers stay the browser's own.

const TOKEN = /(\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|("(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?)|([+-]?(?:0[xX][\da-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))(?![\w$])|(\b(?:true|false|null)\b)|([\p{L}_$][\p{L}\p{N}_$]*)|([{}[\]:,])|(\s+)|([\s\S])/gu;
const CLASSES = ["c", "s", "n", "w", "k", "p"];

function* tokens(text) {
  for (const match of text.matchAll(TOKEN)) {
    const kind = match.slice(1).findIndex((group) => group !== undefined);
    yield { text: match[0], kind, at: match.index };
  }
}

function span(name, text) {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
}

function paint(editor) {
  const area = editor.querySelector("textarea");
  const text = area.value;
  const pre = editor.querySelector(".editor-paint");
  const pieces = text.length > 50_000 ? [text] : coloured(text);
  pre.replaceChildren(...pieces, "\n");
  const error = editor.dataset.state === "error" ? Number(editor.dataset.line) : 0;
  if (error) mark(pre, text, error, Number(editor.dataset.column), Number(editor.dataset.length));
  const lines = text.split("\n").length;
  const gutter = editor.querySelector(".gutter");
  gutter.replaceChildren(...Array.from({ length: lines }, (_, number) => {
    const line = document.createElement("li");
    line.textContent = number + 1;
    if (number + 1 === error) line.dataset.error = "";
    return line;
  }));
}

function coloured(text) {
  const pieces = [];
  const found = [...tokens(text)];
  found.forEach((token, number) => {
    let name = CLASSES[token.kind];
    // a quoted name before a colon is a key
    const next = found.slice(number + 1).find((other) => other.kind !== 6);
    if (token.kind === 1 && next?.text === ":") name = "k";
    pieces.push(name ? span(name, token.text) : token.text);
  });
  return pieces;
}

// The line of the problem as one piece: tinted, with a wavy underline at the column
function mark(pre, text, line, column, length) {
  const lines = text.split("\n");
  const bad = lines[line - 1] ?? "";
  const row = span("bad-line", "");
  row.append(bad.slice(0, column - 1), span("bad-token", bad.slice(column - 1, column - 1 + length) || " "), bad.slice(column - 1 + length) || "");
  pre.replaceChildren(lines.slice(0, line - 1).join("\n") + (line > 1 ? "\n" : ""), row, (line < lines.length ? "\n" : "") + lines.slice(line).join("\n"), "\n");
}

// New lines after brackets and commas; comments and spelling stay as they are
export function format(text) {
  let out = "";
  let depth = 0;
  const line = () => { out = `${out.trimEnd()}\n${"  ".repeat(depth)}`; };
  const list = [...tokens(text)].filter((token) => token.kind !== 6);
  list.forEach((token, number) => {
    const next = list[number + 1]?.text ?? "";
    if ("{[".includes(token.text)) {
      out += token.text;
      if (next && "}]".includes(next)) return;
      depth += 1;
      line();
    } else if ("}]".includes(token.text)) {
      const empty = "{[".includes(list[number - 1]?.text ?? "x");
      if (!empty) { depth = Math.max(0, depth - 1); line(); }
      out += token.text;
    } else if (token.text === ",") {
      out += ",";
      if (next.startsWith("//")) out += " ";
      else line();
    } else if (token.text === ":") {
      out += ": ";
    } else {
      if (token.kind === 0 && out && !/\s$/.test(out)) out += " ";
      out += token.text;
      if (token.kind === 0 && token.text.startsWith("//")) line();
    }
  });
  return out.trim();
}

function replaceText(area, text) {
  area.focus();
  area.select();
  if (!document.execCommand("insertText", false, text)) area.value = text; // the command keeps undo
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

export function showProblem(editor, problem) {
  const message = editor.querySelector(".editor-msg");
  const area = editor.querySelector("textarea");
  if (!problem) {
    delete editor.dataset.state;
    area.removeAttribute("aria-invalid");
    message.hidden = true;
  } else {
    Object.assign(editor.dataset, { state: "error", line: problem.line, column: problem.column, length: problem.length });
    area.setAttribute("aria-invalid", "true");
    message.hidden = false;
    message.querySelector("span").textContent = problem.message;
  }
  paint(editor);
}

export function upgradeEditors(root) {
  for (const editor of root.querySelectorAll("[data-editor]")) {
    const area = editor.querySelector("textarea");
    area.addEventListener("input", () => {
      if (editor.dataset.state) showProblem(editor, null);
      else paint(editor);
    });
    area.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.isComposing) return;
      const before = area.value.slice(0, area.selectionStart);
      const indent = before.slice(before.lastIndexOf("\n") + 1).match(/^[ \t]*/)[0] + (/[{[]\s*$/.test(before) ? "  " : "");
      if (indent && document.execCommand("insertText", false, `\n${indent}`)) event.preventDefault();
    });
    editor.querySelector("[data-format]")?.addEventListener("click", () => replaceText(area, format(area.value)));
    paint(editor);
  }
}
