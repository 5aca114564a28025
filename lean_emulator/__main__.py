"""``python -m lean_emulator`` and the ``lean-emu`` command."""

import sys

from lean_emulator.cli import run


def main() -> None:
    """Entry point of the ``lean-emu`` script."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
