"""Objects as tests make them and read them back."""

import itertools
from typing import Any

import leancloud

_numbers = itertools.count(1)


def fresh_class(name: str = "Thing") -> str:
    """The name of a class that no other test writes to."""
    return f"{name}{next(_numbers)}"


def save(class_name: str, **fields: Any) -> Any:
    """A new object, saved."""
    made = leancloud.Object.create(class_name, **fields)
    made.save()
    return made


def stored(class_name: str, object_id: str) -> Any:
    """The object as the server gives it now."""
    return leancloud.Query(class_name).get(object_id)


def reread(made: Any) -> Any:
    """What is stored of an object now."""
    return stored(made._class_name, made.id)


def bare(made: Any) -> Any:
    """A second handle on an object, that knows nothing but its id."""
    return type(made).create_without_data(made.id)


def ids(found: Any) -> list[str]:
    return sorted(one.id for one in found)
