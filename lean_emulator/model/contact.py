"""E-mail addresses and phone numbers: what counts as one (storage.md 6.2, 6.8)."""

import re

from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+")
_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}")
_CHINESE = re.compile(r"1[0-9]{10}")
_CHINA = "+86"


def check_email(value: Json) -> None:
    """Raise code 125 for a text that is no address; other types are the schema's business."""
    if isinstance(value, str) and (len(value) > 254 or not _EMAIL.fullmatch(value)):
        raise ApiError(125, "The email address was invalid.")


def check_phone(value: Json) -> None:
    """Raise code 127 for a text that is no phone number; other types are the schema's business."""
    if isinstance(value, str):
        international(value)


def international(number: str) -> str:
    """The number with its country code; without ``+`` it is a Chinese one. Raises code 127."""
    if _INTERNATIONAL.fullmatch(number):
        return number
    if _CHINESE.fullmatch(number):
        return _CHINA + number
    raise ApiError(127, "The mobile phone number was invalid.")


def spellings(number: str) -> tuple[str, ...]:
    """The number as given, and the other way to write it where there is one."""
    if _CHINESE.fullmatch(number):
        return number, _CHINA + number
    if number.startswith(_CHINA) and _CHINESE.fullmatch(number.removeprefix(_CHINA)):
        return number, number.removeprefix(_CHINA)
    return (number,)
