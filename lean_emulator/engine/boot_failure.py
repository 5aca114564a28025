"""Why the user's code did not load, for the parent. Part of ``boot_python.py``: Python 3.6+."""

import os
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))


def failure(error, job):
    """Why loading failed, in words the parent can show."""
    trace = error.__traceback__
    while trace is not None and is_machinery(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    kind = type(error)
    last = traceback.format_exception_only(kind, error)[-1].strip()
    file, line = None, None
    for frame, number in traceback.walk_tb(trace):
        if file is None or job.inside(frame.f_code.co_filename):
            file, line = frame.f_code.co_filename, number
    if isinstance(error, SyntaxError) and error.filename:
        file, line = os.path.abspath(error.filename), error.lineno
    return {
        "event": "failed",
        "type": kind.__name__,
        "missing": getattr(error, "name", None) if isinstance(error, ImportError) else None,
        "exit": str(error.code) if isinstance(error, SystemExit) else None,
        "last_line": last,
        "traceback": "".join(traceback.format_exception(kind, error, trace)),
        "file": os.path.relpath(file, job.directory).replace(os.sep, "/") if file else None,
        "line": line,
        "places": package_folders(),
    }


def is_machinery(filename):
    return os.path.dirname(os.path.abspath(filename)) == HERE or filename.startswith("<frozen imp")


def package_folders():
    """Where packages are installed; a change there may heal what did not load."""
    return sorted({p for p in sys.path if p.endswith(("site-packages", "dist-packages"))})
