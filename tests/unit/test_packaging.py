"""The wheel holds every package and asset, and works outside of this folder."""

import configparser
import importlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lean_emulator import __version__

ROOT = Path(__file__).resolve().parents[2]
ASSET_FOLDERS = ("templates", "static")


def setup_cfg() -> configparser.ConfigParser:
    parsed = configparser.ConfigParser()
    parsed.read(ROOT / "setup.cfg", encoding="utf-8")
    return parsed


def listed(section: str, option: str) -> list[str]:
    return setup_cfg()[section][option].split()


def test_packages_are_all_listed() -> None:
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "lean_emulator").rglob("__init__.py")
    }
    folders = {f"lean_emulator.{name}" for name in ASSET_FOLDERS}
    assert set(listed("options", "packages")) == found | folders


def test_entry_points_lead_somewhere() -> None:
    for line in setup_cfg()["options.entry_points"].values():
        module, _, name = line.partition("=")[2].strip().partition(":")
        found = importlib.import_module(module)
        assert not name or callable(getattr(found, name))


def test_asset_folders_hold_no_hidden_files() -> None:
    """Patterns of package data do not match them, so they would be missing in the wheel."""
    hidden = [
        path for name in ASSET_FOLDERS for path in (ROOT / name).rglob("*")
        if any(part.startswith(".") for part in path.relative_to(ROOT).parts)
    ]  # fmt: skip
    assert not hidden


def test_the_sdk_is_an_extra_and_its_pins_are_none_of_ours() -> None:
    options = setup_cfg()["options"]
    assert "leancloud" not in options["install_requires"]
    extra = setup_cfg()["options.extras_require"]["leancloud"]
    assert 'python_version < "3.12"' in extra


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing appears in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("lean_emulator", "templates", "static"):
        copy_tree(ROOT / name, source / name)
    for name in ("setup.cfg", "pyproject.toml", "README.md", "MANIFEST.in"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    build = "from setuptools import build_meta; print(build_meta.build_wheel('..'))"
    done = subprocess.run(
        [sys.executable, "-c", build], cwd=source, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder / done.stdout.split()[-1]


def copy_tree(source: Path, target: Path) -> None:
    for path in source.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())


@pytest.mark.timeout(60)
def test_the_wheel_holds_every_module_and_asset(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "lean_emulator").rglob("*")
        if path.is_file() and path.suffix in (".py", ".typed", ".lark", ".js", ".php")
    } | {
        f"lean_emulator/{path.relative_to(ROOT)}"
        for name in ASSET_FOLDERS
        for path in (ROOT / name).rglob("*")
        if path.is_file()
    }
    assert expected <= inside
    unexpected = {n for n in inside - expected if ".dist-info/" not in n}
    assert not unexpected


@pytest.mark.timeout(60)
def test_the_wheel_runs_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    ask = (
        "from lean_emulator.assets import assets_dir\n"
        "from lean_emulator.__main__ import main\n"
        "assert any(assets_dir('templates').rglob('*.html')), assets_dir('templates')\n"
        "assert any(assets_dir('static').rglob('*.css')), assets_dir('static')\n"
        "main()"
    )
    environ = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", ask, "--version"],
        cwd=tmp_path, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, f"lean-emu {__version__}"), done.stderr
