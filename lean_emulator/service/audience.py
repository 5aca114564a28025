"""Who looks for those that a message is for."""

from dataclasses import replace

from lean_emulator.model.access import MASTER
from lean_emulator.model.query import All, AnyOf, InQuery, Not, RelatedTo, Select, Where
from lean_emulator.service.call import Call


def audience_call(call: Call, where: Where) -> Call:
    """The call to find recipients with: the server's own rights, unless other classes are asked.

    Whom a message reaches is no answer to its sender, who may write to people in a class that is
    closed to queries. But a sub-query would tell of classes that the sender may not read.
    """
    return call if _asks_other_classes(where) else replace(call, principal=MASTER)


def _asks_other_classes(where: Where) -> bool:
    match where:
        case InQuery() | Select() | RelatedTo():
            return True
        case All(parts) | AnyOf(parts):
            return any(map(_asks_other_classes, parts))
        case Not(part):
            return _asks_other_classes(part)
        case _:
            return False
