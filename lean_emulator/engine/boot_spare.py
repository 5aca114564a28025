"""A Python that has imported what the user's code will import, and waits for its one start.

Part of ``boot_python.py``: runs in the user's own Python, 3.6 or newer, on systems that cannot
fork. On stdin come a line of JSON, the names to import, and later the job; on stdout goes a line of
JSON, the top-level names that are loaded then, before anything of the job's.
"""

import contextlib
import importlib
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)  # not there under PYTHONSAFEPATH; boot_python takes it out
import boot_python  # noqa: E402 - needs the line above


def preload(names):
    """Import what can be imported; the user's code will say what cannot."""
    for name in names:
        if name not in sys.modules:
            with contextlib.suppress(BaseException):
                importlib.import_module(name)


@contextlib.contextmanager
def muted():
    """Nothing that is printed meanwhile gets out."""
    kept = [os.dup(number) for number in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in (1, 2):
            os.dup2(nowhere, number)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, fd in zip((1, 2), kept):  # noqa: B905 - strict is not in Python 3.6
            os.dup2(fd, number)
            os.close(fd)
        os.close(nowhere)


def main():
    sdk = boot_python.Sdk()
    sys.meta_path.insert(0, sdk)
    stdin = boot_python.keep_stdin()
    with muted():
        preload(boot_python.read_line(stdin))
    loaded = sorted({name.partition(".")[0] for name in sys.modules})
    os.write(1, json.dumps(loaded).encode("ascii") + b"\n")
    boot_python.run(stdin, sdk)


if __name__ == "__main__":
    main()
