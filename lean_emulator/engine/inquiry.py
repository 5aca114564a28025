"""What a process that serves is asked before anybody calls it: its names and its age."""

from collections.abc import Mapping

from lean_emulator.base import errors
from lean_emulator.base.deadline import Deadline
from lean_emulator.engine import failure
from lean_emulator.engine.client import EngineClient
from lean_emulator.engine.generation import Generation
from lean_emulator.engine.launch import NotLoaded
from lean_emulator.engine.project import Project


async def ask(
    client: EngineClient,
    project: Project,
    generation: Generation,
    variables: Mapping[str, str],
    deadline: Deadline,
) -> str | None:
    """Let a generation know its own names, and how it wants its hooks called.

    ``variables`` are its environment. What is worth a note is answered. Raises ``NotLoaded`` when
    it breaks off, or keeps its names to itself where ``functionsMode`` is strict (engine.md 1.4).
    """
    if project.functions == "disabled":
        return "leanengine.yaml has functionsMode: disabled; functions and hooks are not called"
    try:
        names = await client.functions_metadata(
            generation,
            variables.get("LEANCLOUD_APP_ID", ""),
            variables.get("LEANCLOUD_APP_MASTER_KEY", ""),
            deadline,
        )
        marks = bool(names) and not await client.takes_hook_key(generation, deadline)
    except (errors.EngineGone, errors.TimedOut) as error:
        reason = failure.from_silence(project, error.message)
        raise NotLoaded(reason, generation.files) from error
    generation.names, generation.needs_marks = names or frozenset(), marks
    if names is not None:
        return None
    if project.functions == "strict":
        raise NotLoaded(failure.from_secrecy(project), generation.files)
    return "it does not tell its functions; none are known"
