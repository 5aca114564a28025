"""The documentation says what the program does."""

import re
import runpy
from pathlib import Path
from typing import Any

import click
import pytest

from lean_emulator import cli, keys, settings
from lean_emulator.cli import exits
from lean_emulator.cli.env import variables_for

ROOT = Path(__file__).resolve().parents[2]
READMES = ("README.md", "README.zh-CN.md")
PAGES = sorted([*READMES, *(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))])
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def commands() -> dict[str, click.Command]:
    context = click.Context(cli.program)
    found = {name: cli.program.get_command(context, name) for name in cli.COMMANDS}
    return {name: command for name, command in found.items() if command is not None}


def help_of(command: click.Command) -> str:
    return command.get_help(click.Context(command, info_name=command.name))


def test_the_coverage_page_matches_the_code() -> None:
    page: Any = runpy.run_path(str(ROOT / "tools" / "coverage_page.py"))
    text = (ROOT / "docs" / "coverage.md").read_text("utf-8")
    assert page["rendered"]() == text, "run: python tools/coverage_page.py"


def test_the_settings_page_matches_the_settings() -> None:
    page: Any = runpy.run_path(str(ROOT / "tools" / "settings_page.py"))
    text = text_of("docs/settings.md")
    assert page["rendered"](text) == text, "run: python tools/settings_page.py"
    assert all(f"| `{name}` |" in text for name in settings.specs())


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_explains_itself(name: str) -> None:
    command = commands()[name]
    shown = help_of(command)
    assert re.search(r"^Examples?:$", shown, re.M)
    assert re.search(rf"^  .*lean-emu {name}", shown, re.M)
    assert re.search(r"^Exit codes:$", shown, re.M)
    assert f"## `lean-emu {name}" in text_of("docs/cli.md")


def test_every_option_in_the_examples_exists() -> None:
    for page in ("docs/cli.md", "docs/guide.md", *READMES):
        for line in re.findall(r"lean-emu (\w+)([^`\n|]*)", text_of(page)):
            name, words = line
            if name not in cli.COMMANDS:
                continue
            known = {o for p in commands()[name].params for o in (*p.opts, *p.secondary_opts)}
            used = set(re.findall(r"(?<!\S)--[a-z-]+", words)) - {"--help"}
            assert used <= known, f"{page}: lean-emu {name}{words}"


@pytest.mark.parametrize("page", ["docs/cli.md", "README.md"])
def test_exit_codes_are_listed(page: str) -> None:
    rows = dict(re.findall(r"^\| (\d+) \| (.+) \|$", text_of(page), re.M))
    assert rows == {str(code): meaning for code, meaning in exits.MEANINGS.items()}


def test_env_prints_what_the_page_names() -> None:
    class Project:
        keys = keys.Keys("a", "b", "c", "d")

    names = set(re.findall(r"LEANCLOUD_[A-Z_]+", text_of("docs/cli.md")))
    assert set(variables_for(Project, "u")) == names  # type: ignore[arg-type]  # only keys is read


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    here = (ROOT / page).parent
    assert not [link for link in LINK.findall(text_of(page)) if not (here / link).exists()]


def test_pictures_exist_and_are_all_shown() -> None:
    shown = {
        (ROOT / page).parent / picture
        for page in PAGES
        for picture in re.findall(r'(?:src|srcset)="([^"]+)"', text_of(page))
    }
    assert shown == set((ROOT / "docs" / "images").iterdir())


def test_the_two_readmes_have_the_same_parts() -> None:
    def shape(name: str) -> tuple[int, list[str]]:
        text = text_of(name)
        code = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
        return text.count("\n## "), [block.split()[0] for block in code]

    assert shape(READMES[0]) == shape(READMES[1])


def test_example_projects_hold_code() -> None:
    for project in (ROOT / "fixtures" / "cloud").iterdir():
        entries = ("cloud.py", "wsgi.py", "package.json")
        assert any((project / entry).is_file() for entry in entries), project


def test_decisions_have_their_parts() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    numbers = [int(page.name[:4]) for page in pages]
    assert numbers == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text("utf-8")
        assert text.startswith(f"# {int(page.name[:4])}. ")
        for part in (
            "Status: ",
            "## Context",
            "## Decision",
            "## What we give up",
            "## How we would",
        ):
            assert part in text, f"{page.name} lacks {part!r}"


def test_no_page_names_a_machine_of_ours() -> None:
    for page in (*PAGES, "CHANGELOG.md", "Makefile", ".ci/run"):
        assert not re.search(r"/(work|root)/|\bshared/", text_of(page)), page
