"""``lean-emu completion``: makes a shell complete commands and options."""

import os
from pathlib import PurePath

import click
from click.shell_completion import get_completion_class

from lean_emulator.base.errors import Hint
from lean_emulator.cli import exits
from lean_emulator.cli.command import Documented
from lean_emulator.cli.output import hint_text, note

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_LEAN_EMU_COMPLETE"
"""How the script asks the program for what fits; click knows the name from the program's."""

HOME = {
    "bash": "echo 'eval \"$(lean-emu completion bash)\"' >> ~/.bashrc",
    "zsh": "echo 'eval \"$(lean-emu completion zsh)\"' >> ~/.zshrc",
    "fish": "lean-emu completion fish > ~/.config/fish/completions/lean-emu.fish",
}


@click.command(
    cls=Documented,
    examples=[
        'eval "$(lean-emu completion bash)"',
        'eval "$(lean-emu completion zsh)"',
        "lean-emu completion fish | source",
    ],
    codes=(exits.OK, exits.USAGE),
)
@click.argument("shell", type=click.Choice(SHELLS), required=False)
def completion(shell: str | None) -> int:
    """Print the script that makes SHELL complete lean-emu; the shell of $SHELL when left out.

    It needs bash 4.4 or newer; macOS comes with an older one, and with zsh.
    """
    name = shell or PurePath(os.environ.get("SHELL", "")).name
    maker = get_completion_class(name) if name in SHELLS else None
    if maker is None:
        raise click.UsageError(f"Say which shell: {', '.join(SHELLS)} (and not {name!r}).")
    from lean_emulator.cli import program

    click.echo(maker(program, {}, "lean-emu", VARIABLE).source())
    keep = HOME[name]
    note(hint_text(Hint(f"# To keep it: {keep}", f"# 永久生效：{keep}")))
    return exits.OK
