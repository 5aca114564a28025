"""Lets a debugger attach to the user's code. Part of ``boot_python.py``: Python 3.6 or newer.

debugpy is the user's own, installed in the user's environment.
"""

import importlib
import os
import socket
import time

RELEASED_WITHIN = 5.0
"""Seconds in which the debugger of the process before lets go of the port."""


def listen(port):
    """Wait for no debugger, but let one come at any time; ``ImportError`` without debugpy."""
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # it warns of frozen modules
    debugpy = importlib.import_module("debugpy")
    until = time.time() + RELEASED_WITHIN
    while not is_free(port) and time.time() < until:
        time.sleep(0.02)
    debugpy.listen(("127.0.0.1", port))


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
