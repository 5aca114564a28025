"""The command line. Each command lives in a module that is imported only when it is asked for."""

import difflib
import importlib
import traceback
from collections.abc import Sequence
from keyword import iskeyword
from typing import NamedTuple

import click
from click.shell_completion import CompletionItem

from lean_emulator import __version__
from lean_emulator.base.errors import LeanEmuError
from lean_emulator.cli import exits
from lean_emulator.cli.output import complain, discard_stdout


class Entry(NamedTuple):
    """A command: its module in this package, which has a function of the command's name."""

    module: str
    summary: str


COMMANDS = {
    "up": Entry("up", "Start the emulator for a project."),
    "debug": Entry("debug", "Show the console for code that runs somewhere else."),
    "invoke": Entry("invoke", "Run a cloud function."),
    "hook": Entry("hook", "Call one hook alone; nothing is stored."),
    "save": Entry("write", "Store an object, with its hooks."),
    "update": Entry("write", "Change an object, with its hooks."),
    "delete": Entry("write", "Delete an object, with its hooks."),
    "trace": Entry("trace", "Show what a request did, step by step."),
    "replay": Entry("replay", "Do again what a trace recorded, and compare."),
    "inbox": Entry("inbox", "Show mails, short messages and pushes that were kept."),
    "file": Entry("file", "Upload, list, download and remove files."),
    "cql": Entry("cql", "Ask and change the running instance in CQL."),
    "schema": Entry("schema", "Write the running instance's schemas into files."),
    "tasks": Entry("tasks", "Show, make and run scheduled tasks."),
    "queue": Entry("queue", "Show what waits in the cloud queue."),
    "clock": Entry("clock", "Show or turn the running instance's clock."),
    "cron": Entry("cron", "Say when a cron expression runs."),
    "import": Entry("import_", "Store what the files of an export hold."),
    "export": Entry("export", "Write all objects into files."),
    "snapshot": Entry("snapshot", "Save all objects under a name, and come back to them."),
    "reset": Entry("snapshot", "Forget all objects."),
    "data": Entry("data", "Look after the files in which objects are kept."),
    "exec": Entry("exec_", "Run a command with an emulator of its own."),
    "status": Entry("status", "Say how the running instance is."),
    "logs": Entry("logs", "Show what the code printed, and requests."),
    "stop": Entry("stop", "Stop the running instance."),
    "env": Entry("env", "Print what clients need in their environment."),
    "info": Entry("info", "Show the running instance of a project."),
    "config": Entry("config", "Show all settings and where they come from."),
    "doctor": Entry("doctor", "Find what keeps a project from running here."),
    "completion": Entry("completion", "Make a shell complete commands and options."),
    "version": Entry("version", "Print the version."),
}


class Program(click.Group):
    """Knows its commands by name, without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"lean_emulator.cli.{entry.module}")
        function = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(module, function)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands by their names, which needs none of them; options as usual."""
        named = [
            CompletionItem(name, help=entry.summary)
            for name, entry in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.5)
            offer = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"There is no command {name!r}.{offer}")
        return super().resolve_command(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Example"):
            formatter.write_text("lean-emu up fixtures/cloud/reviews")
        exits.describe(formatter, tuple(exits.MEANINGS))


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="lean-emu", message="%(prog)s %(version)s")
def program() -> None:
    """A LeanCloud on your desk: storage, cloud functions and hooks in one local process.

    `lean-emu COMMAND --help` explains a command.
    """


def run(args: Sequence[str]) -> int:
    """Run one command line; the exit code to leave with. Every error of ours ends here."""
    try:
        result = program.main(list(args), prog_name="lean-emu", standalone_mode=False)
    except click.ClickException as e:
        e.show()
        return e.exit_code
    except (KeyboardInterrupt, click.Abort):
        return exits.INTERRUPTED
    except BrokenPipeError:
        discard_stdout()
        return exits.OK
    except LeanEmuError as e:
        complain(e)
        return exits.CANNOT_START
    except Exception:  # the last place to explain a mistake of ours before Python prints it
        traceback.print_exc()
        click.echo(
            "This is a mistake in lean-emu; please report it with the lines above.", err=True
        )
        return exits.BUG
    return result if isinstance(result, int) else exits.OK
