"""Interpreters to run user code with."""

import functools
import os
import subprocess
import sys

import pytest


@functools.cache
def _interpreter() -> str | None:
    for name in ("LEAN_EMU_TEST_PYTHON", "LEANCLOUD_SDK_PYTHON"):
        if value := os.environ.get(name):
            return value
    found = subprocess.run([sys.executable, "-c", "import leancloud"], capture_output=True)
    return sys.executable if found.returncode == 0 else None


@pytest.fixture
def python() -> str:
    """An interpreter that has the official SDK."""
    interpreter = _interpreter()
    if interpreter is None:
        pytest.skip("no Python with the leancloud package: name one in LEAN_EMU_TEST_PYTHON")
    return interpreter
