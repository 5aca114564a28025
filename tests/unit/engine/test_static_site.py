"""The rules a static site is served by."""

from pathlib import Path
from typing import Any

import pytest

from lean_emulator.engine.static_site import Site, byte_range, matched, read_site


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("index.html", "about.html", "docs/index.html", "app.js", ".env", "a b.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "index.html"),
        ("/about", "about.html"),
        ("/docs", "docs/index.html"),
        ("/docs/", "docs/index.html"),
        ("/app.js", "app.js"),
        ("/a b.txt", "a b.txt"),
        ("/none", None),
        ("/.env", None),
        ("/../conftest.py", None),
        ("/docs/../.env", None),
        ("/empty", None),
    ],
)
def test_which_file_answers(folder: Path, path: str, name: str | None) -> None:
    found = Site(folder).file(path)
    assert found == (None if name is None else folder / name)


def test_links_out_of_the_site_are_not_followed(folder: Path) -> None:
    outside = folder.parent / "outside.txt"
    outside.write_text("secret")
    (folder / "link.txt").symlink_to(outside)
    assert Site(folder).file("/link.txt") is None


def test_a_single_page_application_gets_every_path_but_those_of_files(folder: Path) -> None:
    site = Site(folder, {"rewrites": [{"source": "**", "destination": "/index.html"}]})
    assert site.file("/some/where") == folder / "index.html"
    assert site.file("/app.js") == folder / "app.js"
    assert site.file("/none.js") == folder / "index.html"


@pytest.mark.parametrize(
    ("rules", "path", "answer"),
    [
        ({}, "/about.html", ("/about", 301)),
        ({}, "/docs/index.html", ("/docs", 301)),
        ({}, "/index.html", ("/", 301)),
        ({}, "/docs/index", ("/docs/", 301)),
        ({"cleanUrls": False}, "/about.html", None),
        ({"cleanUrls": ["/docs/**"]}, "/about.html", None),
        ({"trailingSlash": True}, "/about", ("/about/", 301)),
        ({"trailingSlash": True}, "/app.js", None),
        ({"trailingSlash": False}, "/docs/", ("/docs", 301)),
        (
            {"redirects": [{"source": "/old/:id", "destination": "/new/:id", "type": 302}]},
            "/old/7",
            ("/new/7", 302),
        ),
        (
            {"redirects": [{"source": "/out", "destination": "https://a.test/x"}]},
            "/out",
            ("https://a.test/x", 301),
        ),
    ],
)
def test_where_a_client_is_sent(
    folder: Path, rules: dict[str, Any], path: str, answer: tuple[str, int] | None
) -> None:
    assert Site(folder, rules).redirect(path) == answer


def test_headers_and_lists_follow_patterns(folder: Path) -> None:
    rule = {"source": "**/*.js", "headers": [{"key": "Cache-Control", "value": "no-store"}]}
    site = Site(folder, {"headers": [rule], "directoryListing": ["/empty"]})
    assert site.headers("/app.js") == {"Cache-Control": "no-store"}
    assert site.headers("/deep/app.js") == {"Cache-Control": "no-store"}
    assert site.headers("/about") == {}
    assert site.folder("/empty") == folder / "empty"
    assert site.folder("/docs") is None


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("**", "/a/b", True),
        ("/a/*", "/a/b", True),
        ("/a/*", "/a/b/c", False),
        ("a/**", "/a/b/c", True),
        ("/a.js", "/axjs", False),
    ],
)
def test_patterns(pattern: str, path: str, fits: bool) -> None:
    assert (matched(pattern, "", path) is not None) == fits


def test_the_folder_its_file_names(folder: Path) -> None:
    (folder / "static.json").write_text('{"public": "docs"}')
    assert read_site(folder).root == folder / "docs"
    (folder / "static.json").write_text("{")
    with pytest.raises(ValueError, match="Expecting"):
        read_site(folder)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, None),
        ("bytes=0-3", (0, 3)),
        ("bytes=5-", (5, 9)),
        ("bytes=-4", (6, 9)),
        ("bytes=2-100", (2, 9)),
        ("bytes=20-", (20, 9)),
        ("bytes=0-1,4-5", None),
        ("lines=1-2", None),
    ],
)
def test_ranges(header: str | None, wanted: tuple[int, int] | None) -> None:
    assert byte_range(header, 10) == wanted
