"""Writes the table of ``docs/settings.md`` from the fields of ``Settings``.

``python tools/settings_page.py`` rewrites the page; a test compares it with what this renders.
"""

from pathlib import Path

from lean_emulator import settings

PAGE = Path(__file__).resolve().parents[1] / "docs" / "settings.md"
BEGIN = "<!-- begin: written by tools/settings_page.py -->\n"
END = "<!-- end -->\n"


def rendered(page: str) -> str:
    """The page with a fresh table between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = ["| setting | default | what it does |", "| --- | --- | --- |"]
    rows += [f"| `{name}` | {_default(name)} | {_text(name)} |" for name in settings.specs()]
    return before + BEGIN + "\n".join(rows) + "\n" + END + after


def _default(name: str) -> str:
    default = settings.default_of(name)
    if default is None:
        return "none"
    return f"`{str(default).lower()}`" if isinstance(default, bool) else f"`{default}`"


def _text(name: str) -> str:
    spec = settings.specs()[name]
    accepted = " or ".join(f"`{choice}`" for choice in spec.choices)
    facts = [f"In {spec.unit}" if spec.unit else "", f"One of {accepted}" if accepted else ""]
    if spec.least is not None and spec.most is not None:
        facts.append(f"from {spec.least:g} to {spec.most:.12g}")
    tail = ", ".join(fact for fact in facts if fact)
    return spec.doc + (f" {tail[0].upper()}{tail[1:]}." if tail else "")


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text("utf-8")), "utf-8")
