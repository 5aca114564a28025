"""Writes ``docs/coverage.md`` from the routes, operators and operations in the code.

``python tools/coverage_page.py`` rewrites the page; a test compares it with what this renders.
"""

import tempfile
from pathlib import Path

from lean_emulator.emulator import Emulator
from lean_emulator.keys import Keys
from lean_emulator.model.hook_samples import SPECIAL_HOOKS
from lean_emulator.model.hooknames import HookKind
from lean_emulator.model.operations import OPERATIONS
from lean_emulator.model.where_json import OPERATORS
from lean_emulator.settings import Settings
from lean_emulator.wire.routes import UNBUILT, Route

PAGE = Path(__file__).resolve().parents[1] / "docs" / "coverage.md"


def rendered() -> str:
    """The whole page."""
    with tempfile.TemporaryDirectory() as folder:
        routes = Emulator(Settings(project_dir=Path(folder), code=False), Keys.fresh()).routes
    built = {route.pattern.strip("/").split("/")[0] for route in routes}
    return "\n".join(
        [
            "# What is there",
            "",
            "Written by `python tools/coverage_page.py` from the code; a test keeps it true.",
            "",
            "## Endpoints",
            "",
            "Below `/1.1`, and `/1` for old clients. A path that is listed can still answer 501",
            "for an option that is not built.",
            "",
            *_table(routes),
            "",
            "## Known and not built",
            "",
            "These answer HTTP 501 and name themselves:",
            "",
            *_listed(sorted(f"/{name}" for name in UNBUILT - built)),
            "",
            "## Query operators",
            "",
            *_listed(OPERATORS),
            "",
            "## Operations on fields",
            "",
            *_listed(OPERATIONS),
            "",
            "## Class hooks",
            "",
            *_listed([kind.word for kind in HookKind]),
            "",
            "## Other hooks",
            "",
            "Of accounts, which fire; of Insight and of messages, which are called by hand:",
            "",
            *_listed([hook.title for hook in SPECIAL_HOOKS]),
            "",
        ]
    )


def _table(routes: tuple[Route, ...]) -> list[str]:
    verbs: dict[str, list[str]] = {}
    for route in routes:
        verbs.setdefault(route.pattern, []).append(route.verb)
    rows = [f"| `{pattern}` | {' '.join(found)} |" for pattern, found in sorted(verbs.items())]
    return ["| path | methods |", "| --- | --- |", *rows]


def _listed(names: list[str] | tuple[str, ...]) -> list[str]:
    return [", ".join(f"`{name}`" for name in names)]


if __name__ == "__main__":
    PAGE.write_text(rendered(), "utf-8")
