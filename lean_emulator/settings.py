"""Settings: flags, environment and files become one frozen ``Settings``.

A flag beats ``LEAN_EMU_<NAME>`` in the environment, which beats ``lean-emu.toml`` in the project,
which beats ``[tool.lean-emu]`` in its ``pyproject.toml``, which beats the default. An unknown name
is an error that offers the nearest one; so is a value of the wrong type, with its origin.

``docs/settings.md`` is checked against the fields below: the ``doc`` of each is its documentation.
"""

import dataclasses
import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from lean_emulator.base.errors import Hint, StartError
from lean_emulator.keys import usable

FILE_NAME = "lean-emu.toml"
ENV_PREFIX = "LEAN_EMU_"
OTHER_VARIABLES = frozenset({"LEAN_EMU_LANG", "LEAN_EMU_TEST_PYTHON", "LEAN_EMU_CHROMIUM"})
"""Variables of ours that are no settings: the language of hints, and two for our own tests."""

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What a setting accepts; ``unit`` is empty for what is not measured."""

    kind: type[bool] | type[int] | type[float] | type[str]
    doc: str
    unit: str = ""
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    secret: bool = False
    path: bool = False
    """A relative path with a slash in it belongs to the file or folder that it was given in."""
    alone: str = ""
    """The value that the flag stands for when it is given none."""
    folder: bool = False
    """So does any other relative path: this is no name that is looked up somewhere."""


def setting(default: Any, kind: type[Any], doc: str, **more: Any) -> Any:
    return dataclasses.field(default=default, metadata={"spec": Spec(kind=kind, doc=doc, **more)})


def _seconds(default: float, doc: str) -> Any:
    return setting(default, float, doc, unit="seconds", least=0.001, most=86_400)


def _key(doc: str) -> Any:
    return setting(None, str, doc, secret=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be chosen. Built by ``load``, or by hand in tests."""

    project_dir: Path
    """The user's project: the folder with ``cloud.py``. Only a flag or an argument sets it."""

    host: str = setting(
        "127.0.0.1", str, "Address that the API and the console listen on; anything but loopback "
        "lets other machines in."
    )  # fmt: skip
    port: int = setting(
        3000, int, "Port of the API and of the project's own pages; 0 takes any free one.",
        least=0, most=65_535,
    )  # fmt: skip
    console_port: int | None = setting(
        None, int, "Port of the debug console; without it the API's port plus one, or any free "
        "one when `port` is 0.", least=0, most=65_535,
    )  # fmt: skip
    cmd: str | None = setting(
        None, str, "Command that starts the project's own server, in place of finding `cloud.py` "
        "or `wsgi.py`; it must listen on `$LEANCLOUD_APP_PORT`."
    )  # fmt: skip
    python: str | None = setting(
        None, str, "Python interpreter for the project's code; without it the project's `.venv`, "
        "else the one lean-emu runs in.", path=True,
    )  # fmt: skip
    attach: str | None = setting(
        None, str, "Address of the project's code when something else starts it, such as an IDE: "
        "`http://localhost:3002`. It needs the variables that `lean-emu env --code` prints."
    )  # fmt: skip
    debugpy: int | None = setting(
        None, int, "Port on which debugpy listens in the process of Python code, for a debugger to "
        "attach; it has to be installed for that code, and nothing is timed then.",
        least=1, most=65_535, alone="5678",
    )  # fmt: skip
    staging: str | None = setting(
        None, str, "Folder with the code of staging, such as a checkout of another branch. It runs "
        "beside the project's own, which then is production, and gets what is sent with "
        "`X-LC-Prod: 0`.",
        folder=True,
    )  # fmt: skip
    code: bool = setting(
        True, bool, "Run the project's code; without it storage alone answers and no hook fires."
    )
    watch: bool = setting(True, bool, "Load the code again when one of its files changes.")
    keep_last_good: bool = setting(
        False, bool, "When an edit does not load, go on serving the last code that did, in place "
        "of answering with the error."
    )  # fmt: skip
    schema: str | None = setting(
        None, str, "Folder with schema files, read before the project's code starts; without it "
        "`schema/` of the project, if there is one.", folder=True,
    )  # fmt: skip
    max_columns: int = setting(
        0, int, "Columns that a class may have beside those of every class; 0 is no limit, the "
        "platform's is 300.", least=0, most=1_000_000,
    )  # fmt: skip
    max_classes: int = setting(
        0, int, "Classes that the project may have beside the platform's own; 0 is no limit, the "
        "platform's is 500.", least=0, most=1_000_000,
    )  # fmt: skip
    tasks: str | None = setting(
        None, str, "File with scheduled tasks; without it `tasks.toml` of the project, if there is "
        "one.", folder=True,
    )  # fmt: skip
    timers: bool = setting(
        True, bool, "Run scheduled tasks and the cloud queue when they fall due."
    )
    time_zone: str = setting(
        "UTC", str, "Time zone whose clocks cron expressions mean, for tasks that name none."
    )
    task_record_seconds: float = setting(
        300.0, float, "How long the record of a scheduled task's run is kept.", unit="seconds",
        least=1, most=366 * 86_400,
    )  # fmt: skip
    storage: str = setting(
        "tinydb", str, "Where objects live: `tinydb` keeps them in files that TinyDB can open, "
        "`memory` forgets them when lean-emu stops.", choices=("memory", "tinydb"),
    )  # fmt: skip
    data: str | None = setting(
        None, str, "Folder in which objects are kept; without it `.lean-emu/data` of the project.",
        folder=True,
    )  # fmt: skip
    fsync: str = setting(
        "timer", str, "When a write is safe from the machine stopping: `timer` within a second of "
        "its answer, `always` before it. From lean-emu stopping it is always safe.",
        choices=("timer", "always"),
    )  # fmt: skip
    app_id: str | None = _key("Application id, in place of the one made for the project.")
    app_key: str | None = _key("App key, in place of the one made for the project.")
    master_key: str | None = _key("Master key, in place of the one made for the project.")
    hook_key: str | None = _key("Hook key, in place of the one made for the project.")
    function_seconds: float = _seconds(15.0, "Time a cloud function has for its answer.")
    before_hook_seconds: float = _seconds(10.0, "Time a hook that runs before a write has.")
    after_hook_seconds: float = _seconds(3.0, "Time a hook that runs after a write has.")
    login_hook_seconds: float = _seconds(
        10.0, "Time the hooks that a log-in waits for have: onLogin and onAuthData."
    )
    timeouts: bool = setting(
        True, bool, "Hold functions and hooks to their time; switch off to stop at breakpoints."
    )
    hook_depth: int = setting(
        8, int, "How deep hooks may cause each other before the chain is cut as a loop.",
        unit="levels", least=1, most=100,
    )  # fmt: skip
    after_hooks: str = setting(
        "async", str, "`async` answers a write without waiting for its after hooks, as the "
        "platform does; `await` waits for them.", choices=("async", "await"),
    )  # fmt: skip
    follow_back: bool = setting(
        False, bool, "Let whoever is followed follow back, as an option of the platform has it."
    )
    follow_rows: str = setting(
        "both", str, "Who may read and change that one user follows another: `both` of them, "
        "`everybody`, or the `follower` alone.", choices=("both", "everybody", "follower"),
    )  # fmt: skip
    client_push: bool = setting(
        True, bool, "Let clients push with the app key; new applications of the platform want the "
        "master key for it, code 119 without."
    )  # fmt: skip
    third_party_login: bool = setting(
        True, bool, "Let accounts of other platforms sign up as users; off is code 207."
    )
    email_verification: bool = setting(
        True, bool, "Mail a link to verify an address when a user signs up with one or changes it; "
        "without it asking for such a mail is code 119."
    )  # fmt: skip
    phone_verification: bool = setting(
        False, bool, "Send a code when a user signs up with a phone number or changes it."
    )
    login_needs_email: bool = setting(
        False, bool, "Refuse the log-in of users whose address is not verified, with code 216."
    )
    login_needs_phone: bool = setting(
        False, bool, "Refuse to log in by a phone number that is not verified, with code 215."
    )
    reset_by_unverified_phone: bool = setting(
        False, bool, "Let passwords be reset by a code to a phone number that is not verified."
    )
    private_contacts: bool = setting(
        True, bool, "Show a user's address and phone number to that user and the master key alone."
    )
    password_ends_sessions: bool = setting(
        True, bool, "Give a user a new session token when its password changes."
    )
    sms_code: str | None = setting(
        None, str, "Digits that every short message has as its code, and that every phone number "
        "accepts; for tests."
    )  # fmt: skip
    sms_limits: bool = setting(
        True, bool, "Hold short messages to one in a minute and ten in a day for each number."
    )
    sms_templates: str | None = setting(
        None, str, "TOML file with the project's short message templates; without it any template "
        "name is taken, and the usual text is sent.", path=True, folder=True,
    )  # fmt: skip
    captcha: bool = setting(False, bool, "Want a solved captcha before a short message is sent.")
    unknown_class: str = setting(
        "error", str, "What reading a class that does not exist answers: `error` is 404 with code "
        "101, as the platform; `empty` is an empty result.", choices=("error", "empty"),
    )  # fmt: skip
    client_classes: bool = setting(
        True, bool, "Let a client's first write make a class; off is code 119 for clients."
    )
    own_object_ids: bool = setting(
        False, bool, "Take the `objectId` that a create by the master key brings along; the "
        "platform is not known to."
    )  # fmt: skip
    automatic_fields: str = setting(
        "ignore", str, "What writing `objectId`, `createdAt` and `updatedAt` does: `ignore` passes "
        "over them, `refuse` is code 105.", choices=("ignore", "refuse"),
    )  # fmt: skip
    absent_delete: str = setting(
        "ok", str, "What deleting an object that is not there answers: `ok`, or `error` with "
        "code 1.", choices=("ok", "error"),
    )  # fmt: skip
    missing_include: str = setting(
        "pointer", str, "What an included object that is gone or hidden shows as: its bare "
        "`pointer`, or `null`.", choices=("pointer", "null"),
    )  # fmt: skip
    unknown_keys: str = setting(
        "ignore", str, "What a condition or order on a column that the class does not have "
        "answers: `ignore` finds what a missing value finds, `error` is code 700.",
        choices=("ignore", "error"),
    )  # fmt: skip
    large_limit: str = setting(
        "most", str, "What a `limit` over 1000 counts as: the `most` there may be, which is 1000, "
        "or the `default` of 100.", choices=("most", "default"),
    )  # fmt: skip
    return_acl: bool = setting(
        True, bool, "Listen to `returnACL`; on the platform it is an option of the application."
    )
    native_signatures: bool = setting(
        False, bool, "Believe signatures of the Android SDK (`ax-sig-1`), which only the platform "
        "can check."
    )  # fmt: skip
    start_limit_seconds: float = _seconds(
        30.0, "Time the project's code has to load before it counts as broken."
    )
    traces: int = setting(
        2000, int, "How many requests the console remembers.", unit="requests", least=1,
        most=1_000_000,
    )  # fmt: skip
    verbose: bool = setting(
        False, bool, "Print every step of a request in the terminal, not one line for each request."
    )
    file_provider: str = setting(
        "s3", str, "How clients upload files: `s3` sends the bytes as they are, which every SDK "
        "can; `qiniu` and `qcloud` are for clients that insist on them.",
        choices=("s3", "qiniu", "qcloud"),
    )  # fmt: skip
    file_url: str | None = setting(
        None, str, "What addresses of files and uploads begin with, where clients reach lean-emu "
        "by another address than its own, such as `http://192.168.1.5:3000`.",
    )  # fmt: skip
    max_file_bytes: int = setting(
        1024**3, int, "Largest file that is taken.", unit="bytes", least=0, most=1024**3 * 100,
    )  # fmt: skip
    max_body_bytes: int = setting(
        20 * 1024 * 1024, int, "Largest request body that is read.", unit="bytes", least=1024,
        most=1024**3,
    )  # fmt: skip


class Loaded(NamedTuple):
    """Settings, and where the value of each field came from, in words."""

    settings: Settings
    origins: dict[str, str]


def specs() -> dict[str, Spec]:
    """Every setting that can be written in a file, in the order of documentation."""
    return {
        field.name: field.metadata["spec"]
        for field in dataclasses.fields(Settings)
        if "spec" in field.metadata
    }


def default_of(name: str) -> Any:
    """The default of a setting; ``None`` where it is found out later."""
    return next(field.default for field in dataclasses.fields(Settings) if field.name == name)


def load(project_dir: Path, flags: Mapping[str, object], environ: Mapping[str, str]) -> Loaded:
    """Merge all sources. A flag whose value is ``None`` was not given.

    Raises ``StartError`` for a folder that is not there, an unreadable file, an unknown name and a
    value that does not fit.
    """
    if not project_dir.is_dir():
        raise StartError(
            f"There is no folder {project_dir}.",
            hint=Hint(
                "Name the folder that holds cloud.py: lean-emu up DIR",
                "请给出 cloud.py 所在的目录：lean-emu up 目录",
            ),
        )
    project_dir = project_dir.resolve()
    values: dict[str, Any] = {}
    origins = dict.fromkeys(specs(), "default")
    for source in _sources(project_dir, flags, environ):
        for name, value in _known(source):
            origins[name] = source.named(name)
            values[name] = _fitting(name, value, origins[name], source.base)
    return Loaded(Settings(project_dir=project_dir, **values), origins)


class _Source(NamedTuple):
    """One place that settings come from; ``base`` is what relative paths in it start from."""

    kind: Literal["file", "environment", "flag"]
    label: str
    base: Path
    pairs: Mapping[str, Any]

    def spelled(self, name: str) -> str:
        """The name as somebody would write it in this place."""
        if self.kind == "environment":
            return f"{ENV_PREFIX}{name.upper()}"
        return f"--{name.replace('_', '-')}" if self.kind == "flag" else name

    def named(self, name: str) -> str:
        """The place, as an origin of that setting."""
        return self.label if self.kind == "file" else self.spelled(name)


def _sources(
    project_dir: Path, flags: Mapping[str, object], environ: Mapping[str, str]
) -> Iterator[_Source]:
    """Weakest first, because later ones overwrite."""
    tools = _toml(project_dir / "pyproject.toml").get("tool", {})
    table = tools.get("lean-emu", {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        raise StartError("[tool.lean-emu] in pyproject.toml is not a table.")
    yield _Source("file", "[tool.lean-emu] in pyproject.toml", project_dir, table)
    yield _Source("file", FILE_NAME, project_dir, _toml(project_dir / FILE_NAME))
    variables = {
        name.removeprefix(ENV_PREFIX).lower(): value
        for name, value in environ.items()
        # an empty variable counts as not set, as it does for most programs
        if name.startswith(ENV_PREFIX) and name not in OTHER_VARIABLES and value
    }
    yield _Source("environment", "the environment", Path.cwd(), variables)
    given = {name: value for name, value in flags.items() if value is not None}
    yield _Source("flag", "the command line", Path.cwd(), given)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise StartError(f"{path} is not valid TOML: {e}") from e
    except OSError as e:
        raise StartError(f"{path} cannot be read: {e.strerror}.") from e


def _known(source: _Source) -> Iterator[tuple[str, Any]]:
    """Pairs under their field names; ``console-port`` and ``console_port`` are the same."""
    known = specs()
    seen: set[str] = set()
    for written, value in source.pairs.items():
        name = written.replace("-", "_")
        if name not in known:
            raise _unknown(written, source)
        if name in seen:
            raise StartError(f"{name} is set twice in {source.label}, with a hyphen and without.")
        seen.add(name)
        yield name, value


def _unknown(written: str, source: _Source) -> StartError:
    near = difflib.get_close_matches(written.replace("-", "_"), specs(), n=1, cutoff=0.5)
    text = f"There is no setting {source.spelled(written)} (in {source.label})."
    return StartError(
        f"{text} Did you mean {source.spelled(near[0])}?" if near else text,
        hint=Hint("docs/settings.md lists them all.", "全部设置见 docs/settings.md。"),
    )


def _fitting(name: str, value: object, origin: str, base: Path) -> Any:
    spec = specs()[name]
    parsed = _parsed(spec, value)
    if parsed is None or _refused(spec, parsed):
        shown = "something else" if spec.secret else repr(value)
        raise StartError(f"{name} must be {_wanted(spec)}, but {origin} says {shown}.")
    if isinstance(parsed, str) and (spec.folder or (spec.path and "/" in parsed)):
        return str(base / Path(parsed).expanduser())
    return parsed


def _parsed(spec: Spec, value: object) -> bool | int | float | str | None:
    """The value in its own type, ``None`` when it is of another."""
    if isinstance(value, str) and spec.kind is not str:
        return _from_text(spec, value.strip())
    if isinstance(value, bool):
        return value if spec.kind is bool else None
    if spec.kind is float and isinstance(value, int):
        return float(value)
    return value if isinstance(value, spec.kind) else None


def _from_text(spec: Spec, text: str) -> bool | int | float | None:
    if spec.kind is bool:
        lower = text.lower()
        return lower in TRUE if lower in TRUE | FALSE else None
    try:
        return int(text) if spec.kind is int else float(text)
    except ValueError:
        return None


def _refused(spec: Spec, value: bool | int | float | str) -> bool:
    if isinstance(value, str):
        return (
            not value.strip()
            or (bool(spec.choices) and value not in spec.choices)
            or (spec.secret and not usable(value))
        )
    # written so that NaN, which compares to nothing, is refused
    return (spec.least is not None and not value >= spec.least) or (
        spec.most is not None and not value <= spec.most
    )


def _wanted(spec: Spec) -> str:
    if spec.choices:
        return " or ".join(repr(choice) for choice in spec.choices)
    if spec.secret:
        return "printable ASCII without blanks and commas"
    if spec.kind is bool:
        return "true or false"
    if spec.kind is str:
        return "text that is not empty"
    unit = f" of {spec.unit}" if spec.unit else ""
    number = "a whole number" if spec.kind is int else "a number"
    return f"{number}{unit} from {spec.least:g} to {spec.most:.12g}"
