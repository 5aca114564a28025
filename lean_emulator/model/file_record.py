"""What a ``_File`` record says: names, keys, media types (storage.md 8.1, 8.3)."""

import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.model.values import normalise
from lean_emulator.model.where_json import truth

CLASS = "_File"
KEY_LENGTH = 40
"""Letters and digits that a key begins with, when the server makes it."""
MAX_NAME = 1_024

_CLIENT_KEY = re.compile(r"[0-9A-Za-z]{40}(\.\w+)?", re.A)
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+( *;[ -~]*)?", re.A)
_EXTENSION = re.compile(r"\.[0-9A-Za-z]{1,16}")
_UNFIT = re.compile(r"[\x00-\x1f\x7f/\\]")
_LEGACY_NAME = re.compile(r"[0-9A-Za-z_.]{1,36}")
_USUAL = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class FileWish:
    """A file as a client announces it; ``key`` is ``None`` where the server is to make one."""

    name: str
    mime_type: str
    meta_data: Mapping[str, Json]
    acl: Json = None
    """``None`` leaves it to the class."""
    key: str | None = None
    keep_name: bool = False
    prefix: str = ""
    url: str | None = None
    """Where the file is, when it is somewhere else."""

    @property
    def size(self) -> int | None:
        """In bytes, as the client says; ``None`` where it says nothing usable."""
        size = self.meta_data.get("size")
        return size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None


def read_wish(body: Mapping[str, Json], *, master: bool) -> FileWish:
    """What a body asks for; members that say nothing of a file are ignored.

    Raises code 122 for a name and code 1 for anything else that cannot be used; so for a key that
    only the master key may choose.
    """
    key = _text(body, "key")
    if key is not None:
        _check_key(key, master=master)
    name = _name(body, key)
    meta_data = normalise(body.get("metaData"))
    if meta_data is not None and not isinstance(meta_data, dict):
        raise errors.INVALID_REQUEST("A file's metaData must be an object.")
    return FileWish(
        name,
        media_type(body.get("mime_type"), name),
        meta_data or {},
        body.get("ACL"),
        key,
        truth(body.get("keep_file_name")),
        _text(body, "prefix") or "",
        _text(body, "url"),
    )


def media_type(given: Json, name: str) -> str:
    """The media type a client names, if it is one; else what the name's extension stands for."""
    if isinstance(given, str) and _MEDIA_TYPE.fullmatch(given):
        return given
    return mimetypes.guess_type(name.rpartition("/")[2], strict=False)[0] or _USUAL


def new_key(random: str, wish: FileWish) -> str:
    """The key of a new file: ``random`` with the name's extension, or before the whole name."""
    if wish.keep_name:
        key = f"{random}/{_segment(wish.name)}"
    else:
        extension = re.search(r"\.[^.]*$", wish.name)
        fits = extension is not None and _EXTENSION.fullmatch(extension[0])
        key = f"{random}{extension[0]}" if extension is not None and fits else random
    folders = [_segment(part) for part in wish.prefix.split("/") if part]
    return "/".join([*folders, key])


def check_legacy_name(name: str) -> None:
    """Raise code 122 for a name that the old direct upload does not take."""
    if not _LEGACY_NAME.fullmatch(name):
        raise errors.INVALID_FILE_NAME(
            f"Invalid file name '{name}': it has 1 to 36 letters, digits, '_' and '.'."
        )


def _name(body: Mapping[str, Json], key: str | None) -> str:
    name = body.get("name")
    if name is None or name == "":
        return key or ""
    if not isinstance(name, str) or len(name) > MAX_NAME:
        raise errors.INVALID_FILE_NAME(
            f"Invalid file name: a text of at most {MAX_NAME} characters is wanted."
        )
    return name


def _text(body: Mapping[str, Json], member: str) -> str | None:
    value = body.get(member)
    if value is None:
        return None
    if not isinstance(value, str) or not value or len(value) > MAX_NAME:
        raise errors.INVALID_REQUEST(
            f"A file's {member} must be a text of 1 to {MAX_NAME} characters."
        )
    return value


def _check_key(key: str, *, master: bool) -> None:
    if _CLIENT_KEY.fullmatch(key):
        return
    if not master:
        raise errors.INVALID_REQUEST("Unsupported file key. Please use masterKey to set file key.")
    if any(part in ("", ".", "..") or _segment(part) != part for part in key.split("/")):
        raise errors.INVALID_REQUEST(
            f"Unsupported file key {key!r}: it is a path without empty parts, '.', '..' and "
            "control characters."
        )


def _segment(text: str) -> str:
    """A text as one part of a path: no separators, no control characters, never a dot folder."""
    text = _UNFIT.sub("_", text.encode("utf-8", "replace").decode()) or "_"
    return "_" * len(text) if text in (".", "..") else text
