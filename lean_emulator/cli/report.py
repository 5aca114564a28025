"""Printing what came of a hook or a write: the answer to stdout, how it went to stderr."""

import difflib
import json
from collections.abc import Collection, Iterable, Mapping

import click

from lean_emulator.base.errors import Hint
from lean_emulator.base.jsontext import Json, pretty
from lean_emulator.cli import exits
from lean_emulator.cli.outcome import Came, exit_code, explain
from lean_emulator.cli.output import hint_text, note, styled, warn
from lean_emulator.cli.trace_text import lines
from lean_emulator.model.hook_samples import SPECIAL_HOOKS
from lean_emulator.model.hooknames import understand
from lean_emulator.model.special_hooks import SpecialHook


def report(
    title: str,
    came: Came,
    *,
    own: bool,
    as_json: bool,
    more: Mapping[str, Json] | None = None,
) -> int:
    """Print it; the exit code. What the code printed is shown already by an emulator of ours.

    ``more`` goes into what is printed as JSON.
    """
    code = exit_code(came)
    if came.trace is not None:
        for line in lines(came.trace, prints=not own):
            note(line)
    if as_json:
        facts = {
            "status": came.status,
            "body": came.body,
            "took_ms": round(came.took_ms, 1),
            "trace": None if came.trace is None else came.trace.get("id"),
            **({"remarks": [*came.remarks]} if came.remarks else {}),
            **(more or {}),
        }
        click.echo(json.dumps(facts, ensure_ascii=False))
    elif code == exits.OK:
        click.echo(pretty(came.body))
    if code != exits.OK:
        explain(came, code)
    for remark in came.remarks:
        text = hint_text(Hint(str(remark["en"]), str(remark["zh"])))
        (warn if remark["wrong"] else note)(text)
    tail = f"  {came.link}" if came.link else ""
    note(styled(f"{title}  {came.status}  {came.took_ms:.0f} ms{tail}", dim=True, err=True))
    return code


def registered(names: Iterable[str]) -> list[tuple[str, str]]:
    """Class hooks of the loaded code, as class and hook: ``Review``, ``beforeSave``."""
    known = map(understand, sorted(names))
    return [(k.class_name, k.hook.word) for k in known if k.class_name and k.hook]


def called_as(hook: SpecialHook) -> str:
    """What to type for a hook that belongs to no write: ``_User onLogin``, ``onVerified sms``."""
    if hook.of is None:
        return hook.word
    return f"{hook.word} {hook.of}" if hook.word == "onVerified" else f"{hook.of} {hook.word}"


def registered_hooks(names: Iterable[str]) -> list[str]:
    """Every hook of the loaded code, as one types it; those of classes first."""
    known = frozenset(names)
    special = [called_as(hook) for hook in SPECIAL_HOOKS if hook.metadata_name in known]
    return [*(" ".join(pair) for pair in registered(known)), *special]


def offer_hook(wanted: str, names: Iterable[str]) -> None:
    """Print the registered hook nearest to what was typed, or all of them when none is near."""
    hooks = registered_hooks(names)
    near = difflib.get_close_matches(wanted, hooks, n=1)
    listed = ", ".join(hooks)
    if near:
        hint = Hint(en=f"Did you mean {near[0]}?", zh=f"是否想调用 {near[0]}？")
    elif hooks:
        hint = Hint(en=f"There are: {listed}.", zh=f"已注册：{listed}。")
    else:
        hint = Hint(en="The code registers no hooks.", zh="代码没有注册任何 hook。")
    note(hint_text(hint))


def offer_class(class_name: str, known: Collection[str]) -> None:
    """Print the nearest class when this one is unknown; nothing when none is near."""
    near = difflib.get_close_matches(class_name, known, n=1, cutoff=0.75)
    if class_name not in known and near:
        note(
            hint_text(
                Hint(
                    en=f"Until now there was no class {class_name}. Did you mean {near[0]}?",
                    zh=f"此前没有名为 {class_name} 的 class，是否想用 {near[0]}？",
                )
            )
        )
