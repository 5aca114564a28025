"""Scheduled tasks on disk: ``tasks.toml`` of the repository, and what was changed by hand.

``tasks.toml`` has a ``[[task]]`` table for each; they are on unless they say otherwise. What people
make, and which tasks they switch, is kept in ``.lean-emu/tasks.json``.
"""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lean_emulator import state_folder
from lean_emulator.base.errors import ApiError, Hint, StartError
from lean_emulator.model.task import Task, parse_task

NAME = "tasks.toml"
_STATE = "tasks.json"


class TaskFiles:
    """The tasks of one project."""

    def __init__(
        self, project_dir: Path, chosen: str | None = None, *, lasting: bool = True
    ) -> None:
        """``chosen`` is another file than ``tasks.toml``; it has to be there.

        Unless ``lasting``, what was changed by hand is neither read nor kept.
        """
        self._lasting = lasting
        self._project_dir = project_dir
        self._declared = project_dir / (chosen or NAME)
        self._must_exist = chosen is not None
        self._of_the_file: dict[str, Task] = {}

    def load(self) -> list[Task]:
        """All tasks, those of the file first. Raises ``StartError`` naming file and task."""
        declared = {task.name: task for task in self._read_declared()}
        self._of_the_file = declared
        made, switched = self._read_state()
        tasks = [
            replace(task, enabled=switched.get(task.name, task.enabled))
            for task in declared.values()
        ]
        return [*tasks, *(task for task in made if task.name not in declared)]

    def store(self, tasks: Sequence[Task]) -> None:
        """Keep what differs from the repository's file. Raises ``OSError``."""
        if not self._lasting:
            return
        made = [task.to_json() for task in tasks if task.origin == "user"]
        switched = {
            task.name: task.enabled
            for task in tasks
            if task.origin == "file"
            and (declared := self._of_the_file.get(task.name)) is not None
            and declared.enabled != task.enabled
        }
        content = json.dumps({"tasks": made, "enabled": switched}, ensure_ascii=False, indent=2)
        folder = state_folder.ensure(self._project_dir)
        state_folder.replace(folder / _STATE, f"{content}\n".encode())

    def _read_declared(self) -> list[Task]:
        path = self._declared
        try:
            content = tomllib.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            if self._must_exist:
                raise StartError(f"There is no file {path} with scheduled tasks.") from None
            return []
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
            raise StartError(f"{path} is not valid TOML: {e}") from e
        except OSError as e:
            raise StartError(f"{path} cannot be read: {e.strerror}.") from e
        tables = content.get("task", [])
        if content.keys() - {"task"} or not isinstance(tables, list):
            raise StartError(
                f"{path} may hold nothing but [[task]] tables.",
                hint=Hint(
                    en='[[task]]\nname = "nightly"\nfunction = "cleanUp"\ncron = "0 0 3 * * ?"',
                    zh='[[task]]\nname = "nightly"\nfunction = "cleanUp"\ncron = "0 0 3 * * ?"',
                ),
            )
        tasks = [_task(path, table, origin="file", enabled=True) for table in tables]
        names = [task.name for task in tasks]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise StartError(f"{path}: the task '{twice}' is there twice.")
        return tasks

    def _read_state(self) -> tuple[list[Task], dict[str, bool]]:
        if not self._lasting:
            return [], {}
        path = state_folder.path_in(self._project_dir) / _STATE
        try:
            content = json.loads(path.read_text("utf-8"))
            made = [_task(path, table, origin="user") for table in content["tasks"]]
            return made, {str(name): bool(on) for name, on in content["enabled"].items()}
        except FileNotFoundError:
            return [], {}
        except OSError as e:
            raise StartError(f"{path} cannot be read: {e.strerror}.") from e
        except (ValueError, KeyError, TypeError, AttributeError) as e:
            raise StartError(
                f"{path} is damaged: {e}.",
                hint=Hint(
                    "Move it away; tasks of tasks.toml are not lost.",
                    "请将其移走；tasks.toml 中的任务不会丢失。",
                ),
            ) from e


def _task(path: Path, table: Any, *, origin: Any, enabled: bool = False) -> Task:
    if not isinstance(table, dict):
        raise StartError(f"{path}: a task must be a table, got {table!r}.")
    try:
        return parse_task(table, origin=origin, enabled=enabled)
    except ApiError as e:
        raise StartError(f"{path}: {e.message}", hint=e.hint) from e
