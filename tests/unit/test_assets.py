from pathlib import Path

import pytest

from lean_emulator.assets import assets_dir


def test_the_folder_inside_the_package_wins(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "lean_emulator"
    (package / "static").mkdir(parents=True)
    (package.parent / "static").mkdir()
    assert assets_dir("static", package) == package / "static"


def test_a_checkout_has_it_beside_the_package(tmp_path: Path) -> None:
    package = tmp_path / "lean_emulator"
    package.mkdir()
    (tmp_path / "templates").mkdir()
    assert assets_dir("templates", package) == tmp_path / "templates"


def test_both_places_are_named_when_neither_has_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        assets_dir("static", tmp_path / "lean_emulator")
    assert str(tmp_path / "lean_emulator" / "static") in str(caught.value)
    assert str(tmp_path / "static") in str(caught.value)


def test_ours_are_found() -> None:
    assert (assets_dir("static") / "console.css").is_file()
    assert (assets_dir("templates") / "console" / "base.html").is_file()
