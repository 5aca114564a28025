"""The environment of the user's process (engine.md 1.1)."""

import os
import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from lean_emulator.engine.project import Project, read_dotenv

DOTENV_FILES = (".env", ".env.local")

AppEnvironment = Literal["development", "stage", "production"]
"""``LEANCLOUD_APP_ENV``: of a project alone, and of the two that run beside each other."""

_PLATFORM = re.compile(r"LEANCLOUD|LEAN_CLI", re.I)
_NOT_HANDED_ON = re.compile(
    r"LEAN_EMU_|LEANCLOUD_|LEAN_CLI_|LC_(APP_(ID|KEY|MASTER_KEY|PORT|ENV|INSTANCE)|API_SERVER)$"
    r"|__PYVENV_LAUNCHER__$"
)


class AppKeys(NamedTuple):
    """The application's credentials, as the user's code gets to see them."""

    app_id: str
    app_key: str
    master_key: str
    hook_key: str


def child_environment(
    project: Project,
    keys: AppKeys,
    *,
    api_server: str,
    port: int,
    domain: str = "",
    group: str = "web",
    region: str = "CN",
    app_environment: AppEnvironment = "development",
    parent: Mapping[str, str] | None = None,
    warn: Callable[[str], None] = lambda text: None,
) -> dict[str, str]:
    """All variables of the child.

    The parent's environment (``os.environ`` when ``None``) without our own and the platform's
    variables, so that keys of production in a shell never reach the code; then ``.env`` and
    ``.env.local`` of the project, which give way to non-empty variables of the shell; then what
    ``lean up`` sets. ``api_server`` is the storage URL, ``port`` the public one. ``warn`` is told
    of ``.env`` lines that are refused.
    """
    source = os.environ if parent is None else parent
    result = {name: value for name, value in source.items() if not _NOT_HANDED_ON.match(name)}
    result.update(_dotenv(project, result, warn))
    own = f"{result.get('NO_PROXY') or result.get('no_proxy') or ''},127.0.0.1,localhost"
    result.update(
        platform_variables(
            keys,
            api_server=api_server,
            port=port,
            domain=domain,
            group=group,
            region=region,
            app_environment=app_environment,
        ),
        NO_PROXY=own.lstrip(","),
        no_proxy=own.lstrip(","),
        PYTHONUNBUFFERED="1",
    )
    if app_environment == "development":
        result.setdefault("NODE_ENV", "development")
    else:  # the platform lets nobody choose, and Node's SDK goes by it
        result["NODE_ENV"] = "staging" if app_environment == "stage" else "production"
    if project.kind == "command":
        result["PORT"] = str(port)
    return result


def platform_variables(
    keys: AppKeys,
    *,
    api_server: str,
    port: int,
    domain: str = "",
    group: str = "web",
    region: str = "CN",
    app_environment: AppEnvironment = "development",
) -> dict[str, str]:
    """The variables by which code knows its application; ``port`` is where it has to listen."""
    server = api_server.rstrip("/")
    staging = app_environment == "stage"
    return {
        "LEANCLOUD_APP_ID": keys.app_id,
        "LEANCLOUD_APP_KEY": keys.app_key,
        "LEANCLOUD_APP_MASTER_KEY": keys.master_key,
        "LEANCLOUD_APP_HOOK_KEY": keys.hook_key,
        "LEANCLOUD_APP_PORT": str(port),
        "LEANCLOUD_API_SERVER": server,
        "LEANCLOUD_APP_ENV": app_environment,
        "LEANCLOUD_REGION": region,
        "LEANCLOUD_APP_DOMAIN": domain,
        "LEANCLOUD_APP_GROUP": group,
        "LEANCLOUD_APP_INSTANCE": "staging" if staging else "web1",
        "LEANCLOUD_AVAILABLE_CPUS": "1",
        "LEAN_CLI_HAVE_STAGING": "false" if app_environment == "development" else "true",
        "LC_APP_ID": keys.app_id,
        "LC_APP_KEY": keys.app_key,
        "LC_APP_MASTER_KEY": keys.master_key,
        "LC_APP_PORT": str(port),
        "LC_API_SERVER": server,
    }


def _dotenv(
    project: Project, shell: Mapping[str, str], warn: Callable[[str], None]
) -> dict[str, str]:
    values: dict[str, str] = {}
    for file in DOTENV_FILES:
        for name, value in read_dotenv(project.directory / file).items():
            if _PLATFORM.match(name):
                warn(f"{file}: {name} is set by lean-emu and was not taken from the file")
            elif not name.startswith("LEAN_EMU_"):
                values[name] = value
    return {name: value for name, value in values.items() if not shell.get(name)}
