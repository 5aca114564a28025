"""Where the pages' templates and static files are.

In a wheel they lie inside the package; in a checkout and in an editable install beside it.
Resources of ``importlib`` are no help: without ``__init__.py`` the two folders are invisible to
them in two of these three places (architecture.md, section 4).
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def assets_dir(name: str, package: Path = PACKAGE) -> Path:
    """The folder ``templates`` or ``static``.

    The inner one wins: beside an installed package may lie somebody else's folder of that name.
    Raises ``FileNotFoundError`` naming both places.
    """
    inside, beside = package / name, package.parent / name
    for folder in (inside, beside):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(
        f"lean-emu's {name} folder is missing: neither {inside} nor {beside} exists. "
        "Reinstall lean-emu."
    )
