"""Columns: what type a field has, found out by its first value (storage.md 2.4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.model.class_permissions import Closed, closed_actions
from lean_emulator.model.column_options import Options, Rules, rules_of
from lean_emulator.model.declared_index import Index
from lean_emulator.model.operations import (
    Add,
    AddUnique,
    Bitwise,
    Increment,
    Operation,
    Relate,
    Remove,
    Set,
    Then,
    Unset,
    Write,
)
from lean_emulator.model.values import Document

OURS = "_LeanEmu"
"""What names of classes begin with that lean-emu keeps for itself; no request reaches them."""


@dataclass(frozen=True, slots=True)
class ColumnType:
    """``String``, ``Number`` …; pointers and relations also name their class."""

    type: str
    class_name: str | None = None

    def __str__(self) -> str:
        """As the service prints it in its refusals."""
        if self.class_name is None:
            return f'{{:type "{self.type}"}}'
        return f'{{:type "{self.type}", :className "{self.class_name}"}}'


STRING = ColumnType("String")
NUMBER = ColumnType("Number")
BOOLEAN = ColumnType("Boolean")
ARRAY = ColumnType("Array")
OBJECT = ColumnType("Object")
DATE = ColumnType("Date")
ACL = ColumnType("ACL")
ANY = ColumnType("Any")
FILE = ColumnType("File")
_HOLD_FILES = frozenset({FILE, ARRAY, OBJECT, ANY})

_AUTOMATIC: Mapping[str, ColumnType] = {
    "objectId": STRING,
    "createdAt": DATE,
    "updatedAt": DATE,
    "ACL": ACL,
}
_PLAIN_TYPES: Mapping[type, ColumnType] = {
    str: STRING,
    int: NUMBER,
    float: NUMBER,
    bool: BOOLEAN,
    list: ARRAY,
}
_GEO_POINT = ColumnType("GeoPoint")
_ENCODED = {
    "Date": DATE,
    "Bytes": ColumnType("Bytes"),
    "File": FILE,
    "GeoPoint": _GEO_POINT,
}


@dataclass(frozen=True, slots=True)
class ClassSchema:
    """The columns of a class; a new one knows the automatic columns only.

    Types and options are apart, so that writes to a class without options look at types alone.
    """

    name: str
    columns: Mapping[str, ColumnType] = field(default_factory=lambda: _AUTOMATIC)
    unique: frozenset[str] = frozenset()
    """Columns in which no two objects hold the same text or number, whatever is declared."""
    options: Mapping[str, Options] = field(default_factory=dict)
    """Of those columns that have any."""
    indexes: tuple[Index, ...] = ()
    permissions: Mapping[str, Json] | None = None
    """Who may do what, as a schema file said it; ``None`` where none did."""
    kind: str | None = None
    """``normal`` or ``log``, where a schema file said it."""

    relations: tuple[tuple[str, ColumnType], ...] = field(init=False)
    """The relation columns, which every object of the class shows."""
    file_columns: tuple[str, ...] = field(init=False, compare=False)
    """Columns whose values are files."""
    file_holders: tuple[str, ...] = field(init=False, compare=False)
    """Columns whose values are files or may have files in them."""
    rules: Rules | None = field(init=False)
    """What the options come to; ``None`` for a class that has none."""
    unique_indexes: tuple[Index, ...] = field(init=False)
    closed: Closed = field(init=False)
    """What the permissions come to: the actions that are not everybody's."""

    def __post_init__(self) -> None:
        relations = tuple(item for item in self.columns.items() if item[1].type == "Relation")
        object.__setattr__(self, "relations", relations)
        files = tuple(name for name, column in self.columns.items() if column == FILE)
        object.__setattr__(self, "file_columns", files)
        holders = tuple(name for name, column in self.columns.items() if column in _HOLD_FILES)
        object.__setattr__(self, "file_holders", holders)
        rules = rules_of(self.name, self.columns, self.options) if self.options else None
        object.__setattr__(self, "rules", rules)
        object.__setattr__(self, "unique_indexes", tuple(i for i in self.indexes if i.unique))
        object.__setattr__(self, "closed", closed_actions(self.name, self.permissions))

    @property
    def own_columns(self) -> int:
        """How many columns it has beside those of every class."""
        return len(self.columns.keys() - _AUTOMATIC.keys())


_BUILT_IN_UNIQUE = {
    "_User": frozenset({"username", "email", "mobilePhoneNumber", "sessionToken"}),
    "_Role": frozenset({"name"}),
    "_Installation": frozenset({"installationId"}),
}
_BUILT_IN: Mapping[str, Mapping[str, ColumnType]] = {
    "_User": {
        **dict.fromkeys(
            ("username", "password", "salt", "sessionToken", "email", "mobilePhoneNumber"), STRING
        ),
        "emailVerified": BOOLEAN,
        "mobilePhoneVerified": BOOLEAN,
        "authData": OBJECT,
    },
    "_Role": {
        "name": STRING,
        "users": ColumnType("Relation", "_User"),
        "roles": ColumnType("Relation", "_Role"),
    },
    "_File": {
        **dict.fromkeys(("name", "key", "url", "bucket", "mime_type"), STRING),
        "metaData": OBJECT,
    },
    "_Installation": {
        **dict.fromkeys(("deviceType", "deviceToken", "installationId", "timeZone"), STRING),
        "channels": ARRAY,
        "valid": BOOLEAN,
    },
}


def new_class(name: str) -> ClassSchema:
    """The schema of a class nobody has written to yet."""
    built_in = _BUILT_IN.get(name)
    columns = _AUTOMATIC if built_in is None else {**_AUTOMATIC, **built_in}
    return ClassSchema(name, columns, unique=_BUILT_IN_UNIQUE.get(name, frozenset()))


def declared(known: ClassSchema, wanted: ClassSchema) -> ClassSchema:
    """A class with the columns, options, indexes and permissions that a schema file wants for it.

    Columns that the file does not speak of stay; so do the types of built-in ones. Raises code 111
    where a column has another type already, 302 for a second GeoPoint column.
    """
    fixed = {**_AUTOMATIC, **_BUILT_IN.get(known.name, {})}
    chosen = {name: column for name, column in wanted.columns.items() if name not in fixed}
    for name, column in chosen.items():
        if column != ANY and known.columns.get(name, column) != column:
            raise errors.WRONG_TYPE(
                f"column '{name}' cannot be {column}: it is {known.columns[name]} already."
            )
    _refuse_second_geo_point(
        known.columns, {name: c for name, c in chosen.items() if name not in known.columns}
    )
    return replace(
        known,
        columns={**known.columns, **chosen},
        options=wanted.options,
        indexes=wanted.indexes,
        permissions=wanted.permissions,
        kind=wanted.kind,
    )


def type_of_value(value: Json) -> ColumnType | None:
    """The column type a normalised value asks for; ``None`` for null, which asks for nothing."""
    if value is None:
        return None
    if isinstance(value, str):
        return STRING
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int | float):
        return NUMBER
    if isinstance(value, list):
        return ARRAY
    kind = value.get("__type")
    if kind in ("Pointer", "Relation"):
        return ColumnType(str(kind), str(value.get("className")))
    return _ENCODED.get(str(kind), OBJECT)


def type_of_operation(operation: Operation) -> ColumnType | None:
    """The column type an operation asks for."""
    match operation:
        case Set(value):
            return type_of_value(value)
        case Increment() | Bitwise():
            return NUMBER
        case Add() | AddUnique() | Remove():
            return ARRAY
        case Then(first, second):
            return type_of_operation(second) or type_of_operation(first)
        case Relate(str(class_name)):
            return ColumnType("Relation", class_name)
        case _:
            return None


def admit_write(schema: ClassSchema, write: Write) -> ClassSchema:
    """The schema after a write: the same object when nothing is new.

    Raises code 111 where a value does not fit its column, 302 for a second GeoPoint column.
    """
    columns = schema.columns
    wanted: dict[str, ColumnType | None] = {}
    for path, operation in write.items():
        if isinstance(operation, Set) and _holds(columns.get(path), operation.value):
            continue
        if isinstance(operation, Relate) and ("." in path or path == "ACL"):
            raise errors.WRONG_TYPE(f"'{path}' is part of an Object, where no relation can be.")
        if "." not in path:
            wanted[path] = type_of_operation(operation)
        elif not isinstance(operation, Unset):
            wanted.setdefault(path.partition(".")[0], OBJECT)
    return _admit(schema, wanted) if wanted else schema


def admit_document(schema: ClassSchema, document: Document) -> ClassSchema:
    """As ``admit_write``, for a whole document."""
    columns = schema.columns
    wanted: dict[str, ColumnType | None] = {}
    for name, value in document.items():
        if name not in _AUTOMATIC and not _holds(columns.get(name), value):
            wanted[name] = type_of_value(value)
    return _admit(schema, wanted) if wanted else schema


def _holds(known: ColumnType | None, value: Json) -> bool:
    """Whether a column plainly takes the value, as most do; others need a closer look."""
    return known is not None and _PLAIN_TYPES.get(value.__class__) is known


def _admit(schema: ClassSchema, wanted: Mapping[str, ColumnType | None]) -> ClassSchema:
    columns = schema.columns
    added: dict[str, ColumnType] = {}
    for name, column_type in wanted.items():
        if column_type is None or name in _AUTOMATIC:
            continue
        known = columns.get(name)
        if known is None:
            added[name] = column_type
        elif known not in (column_type, ANY):
            raise errors.WRONG_TYPE(
                f"Invalid value type for field '{name}',expect type is {known},"
                f"but it is '{column_type}'."
            )
    if not added:
        return schema
    _refuse_second_geo_point(columns, added)
    return replace(schema, columns={**columns, **added})


def _refuse_second_geo_point(
    columns: Mapping[str, ColumnType], added: Mapping[str, ColumnType]
) -> None:
    """Raise code 302 where a class would get more than one GeoPoint column (storage.md 2.1)."""
    new = [name for name, column in added.items() if column == _GEO_POINT]
    if not new:
        return
    first = next((name for name, column in columns.items() if column == _GEO_POINT), new[0])
    second = next((name for name in new if name != first), None)
    if second is not None:
        raise errors.GEO_OUT_OF_RANGE(
            f"A class has one GeoPoint column at most: '{second}' cannot be added beside '{first}'."
        )
