"""Runs the user's cloud code. Started by path in the user's own Python, 3.6 or newer.

The first line on stdin is the job as JSON (see ``Job``). What happens then: load ``cloud.py`` or
``wsgi.py``, report to the parent, serve HTTP/1.1 with one thread per connection until stdin closes.
It uses the standard library and, when the user's code imports it, the official SDK; nothing else.

What goes to the parent travels on the stdout pipe in frames that begin with a secret of this run,
so that no output of the user's can be taken for one.
"""

import contextlib
import functools
import importlib
import importlib.machinery
import importlib.util
import inspect
import io
import json
import os
import select
import signal
import sys
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)  # not there under PYTHONSAFEPATH; taken out before the user's code runs
import boot_debug  # noqa: E402 - needs the line above
from boot_failure import failure, package_folders  # noqa: E402 - as above
from boot_http import Server  # noqa: E402 - as above

CALL_HEADER = "X-Lean-Emu-Call"
LONGEST_LINE = 1 << 20
ATOMIC = min(getattr(select, "PIPE_BUF", 4096), 4096)
MEMORY_ONLY = ("site-packages", "dist-packages", "node_modules", ".venv", "venv")


class Job(object):
    """What to load and where to listen: the parent's words."""

    def __init__(self, words):
        self.directory = words["directory"]
        self.entry = words["entry"]
        self.secret = words["secret"].encode("ascii")
        self.socket = words["socket"]
        """Path of a unix socket to make, or ``None``: any free port of 127.0.0.1."""
        self.port = str(words["port"])
        """The public port, for ``SERVER_PORT`` of requests that name no host."""
        self.debugger = words["debugger"]
        """Port for a debugger, or ``None``."""

    def inside(self, path):
        """Is this a file of the project's own (not of a package installed in it)?"""
        if not path or not path.startswith(self.directory + os.sep):
            return False
        parts = path[len(self.directory) :].split(os.sep)
        return not any(part in MEMORY_ONLY for part in parts)

    def shown(self, path, line):
        return "%s:%d" % (os.path.relpath(path, self.directory).replace(os.sep, "/"), line)


# ---------------------------------------------------------------------------- talking to the parent


class Channel(object):
    """Frames on the stdout pipe: NUL, the secret, six hex digits of length, the payload.

    A payload is a kind, ``+`` when the message goes on in the next frame or ``.``, a head, a line
    feed, data. Each frame is one atomic write, so other writers of the pipe never tear it.
    """

    def __init__(self, fd, secret):
        self.fd = fd
        self.mark = b"\0" + secret
        self.lock = threading.Lock()

    def send(self, kind, head, data, call=None):
        room = ATOMIC - len(self.mark) - 9 - len(head)
        with self.lock:
            at = 0
            while True:
                piece = data[at : at + room]
                at += room
                more = b"+" if at < len(data) else b"."
                payload = kind + more + head + b"\n" + piece
                self._write(self.mark + b"%06x" % len(payload) + payload)
                if more == b".":
                    break
            if call is not None:
                call.lines += 1

    def unlock(self):
        """In a fork of the user's: whoever held the lock is not there."""
        self.lock = threading.Lock()

    def report(self, **facts):
        self.send(b"R", b"", json.dumps(facts).encode("ascii"))

    def _write(self, frame):
        while frame:
            try:
                frame = frame[os.write(self.fd, frame) :]
            except BlockingIOError:  # the user's code made the pipe non-blocking
                select.select([], [self.fd], [])


class Call(object):
    """One request of the parent's that is being served."""

    __slots__ = ("id", "lines")

    def __init__(self, name):
        self.id = name[:100]  # with the place it must fit the head of a frame
        self.lines = 0


class Calls(object):
    """Which call this thread serves; the user's own threads inherit it from their starter.

    Made after the user's code has loaded, so that a monkey-patched ``threading.local`` (gevent)
    makes it a matter of greenlets.
    """

    def __init__(self):
        self.here = threading.local()

    def current(self):
        return getattr(self.here, "call", None)

    def within(self, call, run):
        before = self.current()
        self.here.call = call
        try:
            return run()
        finally:
            finish_lines()
            self.here.call = before

    def follow_threads(self):
        start, submit = threading.Thread.start, ThreadPoolExecutor.submit

        @functools.wraps(start)
        def starting(thread):
            call = self.current()
            if call is not None:
                run = thread.run

                def run_in_call():
                    del thread.run
                    self.within(call, run)

                thread.run = run_in_call
            start(thread)

        @functools.wraps(submit)
        def submitting(*args, **kwargs):
            if len(args) < 2:
                return submit(*args, **kwargs)
            task = functools.partial(*args[1:], **kwargs)
            return submit(args[0], self.within, self.current(), task)

        threading.Thread.start = starting
        ThreadPoolExecutor.submit = submitting


def finish_lines():
    """Send what this thread has begun to write, also through wrappers of the user's on top."""
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, Output):
            with contextlib.suppress(Exception):
                stream.flush()
    sys.__stdout__.finish()
    sys.__stderr__.finish()


class Output(io.TextIOBase):
    """``sys.stdout`` or ``sys.stderr``: whole lines go to the parent with their call and place."""

    encoding = "utf-8"
    errors = "backslashreplace"
    mode = "w"

    def __init__(self, number, channel, job):
        self.number = number
        self.name = ("<stdin>", "<stdout>", "<stderr>")[number]
        self.channel = channel
        self.job = job
        self.calls = None
        self.parts = threading.local()
        self.buffer = OutputBytes(self)

    def follow(self, calls):
        self.calls = calls
        self.parts = threading.local()

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError("write() argument must be str, not " + type(text).__name__)
        self.feed(text.encode("utf-8", "backslashreplace"))
        return len(text)

    def feed(self, data):
        parts = self.parts
        pending = getattr(parts, "data", b"")
        if not pending:
            parts.where = self._where()
        lines = (pending + data).split(b"\n") if b"\n" in data else [pending + data]
        for line in lines[:-1]:
            self._send(line, parts.where)
        parts.data = lines[-1]
        if len(parts.data) > LONGEST_LINE:
            self.finish()

    def finish(self):
        """Send what this thread has written without a line feed."""
        if getattr(self.parts, "data", b""):
            self._send(self.parts.data, self.parts.where)
            self.parts.data = b""

    def _send(self, line, where):
        call = self.calls.current() if self.calls else None
        name = call.id if call else ""
        head = "%d\t%s\t%s" % (self.number, name, where)
        self.channel.send(b"L", head.encode("utf-8", "backslashreplace"), line, call)

    def _where(self):
        """The nearest line of the project's own in the stack, or nothing."""
        frame = sys._getframe(2)
        for _ in range(60):
            if frame is None:
                return ""
            if self.job.inside(frame.f_code.co_filename):
                return self.job.shown(frame.f_code.co_filename, frame.f_lineno)[-300:]
            frame = frame.f_back
        return ""

    def writable(self):
        return True

    def fileno(self):
        return self.number

    def flush(self):
        pass

    def close(self):
        pass

    def detach(self):
        return self.buffer

    def reconfigure(self, **_options):
        pass


class OutputBytes(io.RawIOBase):
    """``sys.stdout.buffer``."""

    def __init__(self, text):
        self.text = text
        self.raw = self

    def write(self, data):
        data = bytes(data)
        self.text.feed(data)
        return len(data)

    def writable(self):
        return True

    def fileno(self):
        return self.text.number

    def close(self):
        pass


# --------------------------------------------------------------------------------- the official SDK


class Sdk(object):
    """Prepares the SDK the moment the user's code imports it.

    Importing it earlier would be too early for projects that monkey-patch the standard library.
    """

    def __init__(self):
        self.calls = None
        self.user_local = None

    def find_spec(self, name, path=None, target=None):
        if name != "leancloud":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                self.prepare(module)

            spec.loader.exec_module = exec_module
        return spec

    def prepare(self, leancloud):
        env = os.environ
        leancloud.init(
            env.get("LEANCLOUD_APP_ID"),
            app_key=env.get("LEANCLOUD_APP_KEY"),
            master_key=env.get("LEANCLOUD_APP_MASTER_KEY"),
        )
        self.user_local = getattr(sys.modules.get("leancloud.user"), "thread_locals", None)
        session = getattr(getattr(leancloud, "client", None), "session", None)
        if hasattr(session, "request"):
            request = session.request

            @functools.wraps(request)
            def tagged(method, url, *args, **kwargs):
                call = self.calls.current() if self.calls else None
                if call is not None and len(args) < 3:  # the fifth positional is the headers
                    kwargs["headers"] = dict(kwargs.get("headers") or {})
                    kwargs["headers"][CALL_HEADER] = call.id
                return request(method, url, *args, **kwargs)

            session.request = tagged

    def forget_user(self):
        """A kept connection keeps its thread; the next call must not find this one's user."""
        if self.user_local is not None:
            self.user_local.current_user = None


# ------------------------------------------------------------------------------------------ loading


class NoApplication(Exception):
    """The entry file has nothing to serve."""


class Sources(object):
    """Every source file of the project that was read, as it was just before."""

    def __init__(self):
        self.read = {}
        self.tell = None
        """Called with what is read later, once the parent has its first list."""

    def note(self, path):
        state = os.stat(path)
        with open(path, "rb") as file:
            data = file.read()
        stamp = [state.st_mtime_ns, state.st_size, state.st_ino, zlib.crc32(data)]
        self.read[path] = stamp
        if self.tell is not None:
            self.tell({path: stamp})
        return data


def from_source_loader(sources):
    class FromSource(importlib.machinery.SourceFileLoader):
        """Never trusts cached byte code: it is compared by whole seconds, and edits are quicker."""

        def get_code(self, fullname):
            path = self.get_filename(fullname)
            return self.source_to_code(sources.note(path), path)

    return FromSource


def import_project_from_source(job, loader):
    machinery = importlib.machinery
    make = machinery.FileFinder.path_hook(
        (machinery.ExtensionFileLoader, machinery.EXTENSION_SUFFIXES),
        (loader, machinery.SOURCE_SUFFIXES),
    )

    def hook(path):
        if path == job.directory or job.inside(os.path.join(path, "x")):
            return make(path)
        raise ImportError("not of the project")

    sys.path_hooks.insert(0, hook)
    for path in list(sys.path_importer_cache):  # PYTHONPATH=. has had the folder looked at before
        if path == job.directory or job.inside(os.path.join(path, "x")):
            del sys.path_importer_cache[path]
    sys.path[:] = [job.directory] + [p for p in sys.path if p not in (HERE, job.directory, "")]
    importlib.invalidate_caches()


def load(job, loader):
    """The WSGI application of the entry file; whatever the user's code raises goes through."""
    path = os.path.join(job.directory, job.entry)
    name = os.path.splitext(job.entry)[0]
    spec = importlib.util.spec_from_file_location(name, path, loader=loader(name, path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return application_of(module, job)


def application_of(module, job):
    engine_type = getattr(sys.modules.get("leancloud"), "Engine", None)
    engines = find_engines(module, engine_type)
    application = getattr(module, "application", None)
    if not callable(application) or (job.entry != "wsgi.py" and engines):
        application = engines[0] if engines else getattr(module, "app", None)
    if not callable(application):
        raise NoApplication(job.entry)
    for engine in engines:
        if getattr(engine, "origin_app", plain_page) is None:
            engine.origin_app = plain_page
    return application, engines


def find_engines(module, engine_type):
    """Engines of the module, the one called ``engine`` first, then the one that wraps an app."""
    if engine_type is None:
        return []
    found = [getattr(module, "engine", None), getattr(module, "application", None)]
    found += list(vars(module).values())
    found.append(getattr(sys.modules.get("leancloud.engine.leanengine"), "root_engine", None))
    engines = []
    for value in found:
        if isinstance(value, engine_type) and not any(value is e for e in engines):
            engines.append(value)
    return engines


def plain_page(environ, start_response):
    home = environ.get("PATH_INFO") == "/"
    body = b"The cloud code is running.\n" if home else b"Not found.\n"
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response("200 OK" if home else "404 Not Found", headers)
    return [body]


def places(engines, job):
    """Registered name -> ``cloud.py:16``, for those whose source can be found."""
    found = {}
    for engine in engines:
        for name, function in getattr(getattr(engine, "app", None), "cloud_codes", {}).items():
            while isinstance(function, functools.partial):
                function = function.func
            code = getattr(inspect.unwrap(function), "__code__", None)
            if code is not None:
                found[name] = job.shown(code.co_filename, code.co_firstlineno)
    return found


def warmth(job, before, environ):
    """What a process would have to import beforehand to save time, and whether that is safe."""
    names = [
        name
        for name, module in list(sys.modules.items())
        if name not in before and not job.inside(getattr(module, "__file__", None) or "")
    ]
    # Code that prepares the environment, or patches it, must run before its imports.
    safe = environ == dict(os.environ) and "gevent.monkey" not in sys.modules
    return {"names": names, "places": package_folders(), "safe": safe}


# ----------------------------------------------------------------------------------------- starting


def watch_parent(fd, job):
    """Nobody outlives the parent: end of stdin without a farewell kills the whole group."""
    farewell = os.read(fd, 64)
    if not farewell:
        if job.socket:
            with contextlib.suppress(OSError):
                os.unlink(job.socket)
                os.rmdir(os.path.dirname(job.socket))
        if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
            os.killpg(os.getpid(), signal.SIGKILL)
        os._exit(0)


def keep_stdin():
    """The real stdin under another number; the user's code finds an empty one."""
    fd = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return fd


def read_line(fd):
    """The next line on a descriptor, as JSON; ends the process with the parent."""
    words = b""
    while not words.endswith(b"\n"):
        data = os.read(fd, 1)
        if not data:
            os._exit(0)
        words += data
    return json.loads(words.decode("utf-8"))


def run(fd, sdk):
    """Load and serve the job that stands on ``fd``; never returns."""
    job = Job(read_line(fd))
    if os.name == "nt":
        import msvcrt

        msvcrt.setmode(1, os.O_BINARY)
    channel = Channel(os.dup(1), job.secret)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=channel.unlock)
    sys.stdout = sys.__stdout__ = Output(1, channel, job)
    sys.stderr = sys.__stderr__ = Output(2, channel, job)
    threading.Thread(target=watch_parent, args=(fd, job), daemon=True).start()
    os.chdir(job.directory)
    sys.argv[:] = [os.path.join(job.directory, job.entry)]
    sources = Sources()
    loader = from_source_loader(sources)
    import_project_from_source(job, loader)
    version = list(sys.version_info[:3])
    try:
        if job.debugger:
            boot_debug.listen(job.debugger)
        before, environ = set(sys.modules), dict(os.environ)
        application, engines = load(job, loader)
    except BaseException as error:
        finish_lines()
        channel.report(python=version, files=sources.read, **failure(error, job))
        os._exit(3)
    calls = sdk.calls = Calls()
    finish_lines()
    sys.__stdout__.follow(calls)
    sys.__stderr__.follow(calls)
    calls.follow_threads()

    def serve(call, function, *args):
        try:
            calls.within(call, functools.partial(function, *args))
        finally:
            sdk.forget_user()

    server = Server(application, Call, serve, job.socket, job.port)
    channel.report(
        event="ready",
        python=version,
        port=server.port(),
        files=sources.read,
        where=places(engines, job),
        warm=warmth(job, before, environ),
    )
    sources.tell = lambda files: channel.report(event="read", files=files)
    server.run()


def main():
    sdk = Sdk()
    sys.meta_path.insert(0, sdk)
    run(keep_stdin(), sdk)


if __name__ == "__main__":
    main()
