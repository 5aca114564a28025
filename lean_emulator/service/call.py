"""One piece of work on behalf of somebody: who, until when, in which trace, caused by what."""

from dataclasses import field, replace
from typing import Literal

from lean_emulator.base import errors
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.errors import Hint
from lean_emulator.base.record import record
from lean_emulator.base.trace import Span
from lean_emulator.model.access import Principal
from lean_emulator.model.hooknames import HookKind
from lean_emulator.storage.rehearsable import Rehearsal, current_rehearsal


@record
class Wish:
    """Hooks that a write asked to leave out, whether or not it was entitled to.

    ``named`` are those of ``__ignore_hooks``, ``marked`` those of valid signed marks. ``source``
    tells imports, which fire nothing, from requests.
    """

    named: frozenset[HookKind] = frozenset()
    marked: frozenset[HookKind] = frozenset()
    source: Literal["request", "import"] = "request"


@record
class Call:
    """The first argument of every service function."""

    principal: Principal
    deadline: Deadline
    span: Span | None
    """The step this work belongs to; ``None`` begins a trace of its own."""
    chain: tuple[str, ...] = ()
    """Hooks and functions this call is inside of, outermost first: ``afterSave Post``."""
    ignored: frozenset[HookKind] = frozenset()
    """Hooks this write asked to leave out, and was entitled to."""
    wish: Wish | None = None
    """How it asked; ``None`` where it did not."""
    prod: bool = True
    remote_address: str = "127.0.0.1"
    rehearsal: Rehearsal | None = field(default_factory=current_rehearsal)
    """The dry run it belongs to, so that what the user's code asks for comes back into it."""

    def inside(self, step: str, span: Span, seconds: float) -> "Call":
        """The call as a hook or function sees it: one link longer, never with more time."""
        return replace(
            self,
            span=span,
            chain=(*self.chain, step),
            deadline=self.deadline.narrowed(seconds),
            ignored=frozenset(),
            wish=None,
        )

    def with_deadline(self, deadline: Deadline) -> "Call":
        return replace(self, deadline=deadline)

    def ignoring(self, kinds: frozenset[HookKind], wish: Wish | None = None) -> "Call":
        """The call of a write without these hooks; ``wish`` is what it asked for."""
        return replace(self, ignored=kinds, wish=wish)


def hook_loop(chain: tuple[str, ...]) -> errors.HookLoop:
    """The error for hooks that keep causing each other; it shows the cycle and how to end it.

    ``chain`` ends with the step that was one too many (engine.md 4.6, code 431).
    """
    cycle = cycle_of(chain)
    repeated = cycle[0].partition(" ")[0]
    cure = "disable_after_hook()" if repeated.startswith("after") else "disable_before_hook()"
    return errors.HOOK_LOOP(
        f"LeanEngine hooks rate limit exceeded. {len(chain)} calls deep: "
        f"{' → '.join((*cycle, cycle[0]))}",
        hint=Hint(
            en=f"A hook causes itself. Call {cure} on the object before saving it in the hook.",
            zh=f"Hook 触发了自身。在 hook 中保存该对象之前调用 {cure}。",
        ),
    )


def cycle_of(chain: tuple[str, ...]) -> tuple[str, ...]:
    """The part of a chain that repeats; the whole chain when nothing does."""
    last = chain[-1]
    earlier = [i for i, step in enumerate(chain[:-1]) if step == last]
    return chain[earlier[-1] : -1] if earlier else chain
