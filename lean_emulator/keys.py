"""The four keys of a project: made once, kept in ``.lean-emu/keys.json``, never made anew silently.

Whoever wants other keys writes them into that file, or sets them for one run by environment or
flag. Shapes are those of the platform's newer applications (storage.md 1.2).
"""

import dataclasses
import json
import os
import secrets
import stat
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lean_emulator import state_folder
from lean_emulator.base.errors import Hint, StartError
from lean_emulator.base.masking import masked

FILE_NAME = "keys.json"
APP_ID_SUFFIX = "-gzGzoHsz"

_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Keys:
    """What clients and the user's code prove themselves with; shown only masked."""

    app_id: str
    app_key: str
    master_key: str
    hook_key: str

    @classmethod
    def fresh(cls) -> "Keys":
        """New random keys."""
        return cls(_random(24) + APP_ID_SUFFIX, _random(24), _random(24), _random(32))

    def __repr__(self) -> str:
        secret = ("app_key", "master_key", "hook_key")
        shown = ", ".join(f"{name}={masked(getattr(self, name))!r}" for name in secret)
        return f"Keys(app_id={self.app_id!r}, {shown})"


NAMES = tuple(field.name for field in dataclasses.fields(Keys))


class Found(NamedTuple):
    """The keys to use. ``path`` is ``None`` when they are kept nowhere."""

    keys: Keys
    path: Path | None
    warnings: tuple[str, ...]


def client_variables(keys: Keys, api_url: str) -> dict[str, str]:
    """What every official SDK reads (engine.md 1.1)."""
    return {
        "LEANCLOUD_API_SERVER": api_url,
        "LEANCLOUD_APP_ID": keys.app_id,
        "LEANCLOUD_APP_KEY": keys.app_key,
        "LEANCLOUD_APP_MASTER_KEY": keys.master_key,
        "LEANCLOUD_APP_HOOK_KEY": keys.hook_key,
    }


def usable(key: str) -> bool:
    """Whether a key can travel in ``X-LC-Key``, where a comma ends it (storage.md 1.2)."""
    return bool(key) and key.isascii() and key.isprintable() and not set(key) & set(" ,")


def path_in(project_dir: Path) -> Path:
    return state_folder.path_in(project_dir) / FILE_NAME


def load(project_dir: Path, overrides: Mapping[str, str | None]) -> Found:
    """The project's keys, with those of ``overrides`` that are not ``None`` in their place.

    Makes and keeps new ones at the first call. In a folder that cannot be written to, they live
    only as long as the process, and a warning says so. Raises ``StartError`` for a damaged file.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    if given.keys() >= set(NAMES):
        return Found(Keys(**given), None, ())
    path = path_in(project_dir)
    warnings: tuple[str, ...] = ()
    kept: Path | None = path
    keys = _read(path)
    if keys is None:
        keys, warnings = _make(path)
        kept = None if warnings else path
    if kept:
        warnings = _too_open(path)
    return Found(dataclasses.replace(keys, **given), kept, warnings)


def _make(path: Path) -> tuple[Keys, tuple[str, ...]]:
    keys = Keys.fresh()
    try:
        state_folder.ensure(path.parent.parent)
        if not state_folder.create(path, _text(keys)):
            keys = _read(path) or keys  # another process was faster
    except OSError as e:
        return keys, (
            f"{path.parent} cannot be written ({e.strerror}): the keys of this run are kept "
            "nowhere and will be others next time. Set LEAN_EMU_APP_ID, LEAN_EMU_APP_KEY, "
            "LEAN_EMU_MASTER_KEY and LEAN_EMU_HOOK_KEY to choose them.",
        )
    return keys, ()


def _read(path: Path) -> Keys | None:
    """``None`` when there is no file; damage is an error, so that nobody loses keys in use."""
    try:
        raw = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except OSError as e:
        raise StartError(f"{path} cannot be read: {e.strerror}.") from e
    except ValueError as e:
        raise _damaged(path, f"it is not JSON ({e})") from e
    if not isinstance(raw, dict):
        raise _damaged(path, "it is not a JSON object")
    for name in NAMES:
        if name not in raw:
            raise _damaged(path, f"{name} is missing")
        if not (isinstance(raw[name], str) and usable(raw[name])):
            raise _damaged(path, f"{name} is not printable text without blanks and commas")
    return Keys(**{name: raw[name] for name in NAMES})


def _damaged(path: Path, why: str) -> StartError:
    return StartError(
        f"The keys in {path} cannot be used: {why}.",
        hint=Hint(
            f"Mend the file, or remove it to get new keys (clients then need them): rm {path}",
            f"请修复该文件，或删除它以生成新的密钥（客户端需要随之更新）：rm {path}",
        ),
    )


def _too_open(path: Path) -> tuple[str, ...]:
    if os.name == "nt":  # access is not a matter of mode bits there
        return ()
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & 0o077:
        return ()
    return (f"Others on this machine can read your keys (mode {mode:04o}): chmod 600 {path}",)


def _text(keys: Keys) -> bytes:
    return (json.dumps(dataclasses.asdict(keys), indent=2) + "\n").encode()


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
