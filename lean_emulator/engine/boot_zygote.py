"""A Python that has imported what the user's code will import, and forks once per start of it.

Part of ``boot_python.py``: runs in the user's own Python, 3.6 or newer. stdin is a unix socket. On
it come first a line of JSON, the names to import; then, for each start, one byte with three file
descriptors that become the fork's stdin, stdout and stderr. Back go lines of JSON: ``threads`` and
``loaded`` once, then ``forked`` and, in time, ``exited``. When the socket closes it makes no more
forks and ends after the last of them.
"""

import array
import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)  # not there under PYTHONSAFEPATH; boot_python takes it out
import boot_python  # noqa: E402 - needs the line above
from boot_spare import preload  # noqa: E402 - as above


class Zygote(object):
    """The loop of the process; single-threaded, because only then a fork is a whole process."""

    def __init__(self):
        self.control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=os.dup(0))
        self.sdk = boot_python.Sdk()
        self.children = set()
        self.woken, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(self.woken, False)
        self.wake = wake

    def run(self):
        sys.meta_path.insert(0, self.sdk)
        preload(self.read_line())
        gc.collect()
        if hasattr(gc, "freeze"):
            gc.freeze()  # keeps the pages shared
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wake)
        loaded = sorted({name.partition(".")[0] for name in sys.modules})
        self.tell(threads=len(os.listdir("/proc/self/task")), loaded=loaded)
        is_open = True
        while is_open or self.children:
            watched = [self.woken] + ([self.control] if is_open else [])
            ready = select.select(watched, [], [])[0]
            with contextlib.suppress(BlockingIOError):
                os.read(self.woken, 4096)
            self.reap()
            if self.control in ready:
                is_open = self.serve()

    def read_line(self):
        words = b""
        while not words.endswith(b"\n"):
            data = self.control.recv(1)
            if not data:
                sys.exit(0)
            words += data
        return json.loads(words.decode("utf-8"))

    def serve(self):
        """One request; false when the parent has closed the socket."""
        size = array.array("i").itemsize
        data, ancillary, _, _ = self.control.recvmsg(1, socket.CMSG_LEN(3 * size))
        if not data:
            return False
        fds = array.array("i")
        for _level, _type, content in ancillary:
            fds.frombytes(content[: len(content) - len(content) % size])
        pid = os.fork()
        if pid == 0:
            self.become_child(list(fds))
        for fd in fds:
            os.close(fd)
        self.children.add(pid)
        self.tell(forked=pid)
        return True

    def become_child(self, fds):
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.control.close()
            for fd in (self.woken, self.wake):
                os.close(fd)
            for number, fd in enumerate(fds):
                os.dup2(fd, number)
                os.close(fd)
            for name in ("random", "numpy.random"):
                if name in sys.modules:  # or every fork would draw the same numbers
                    sys.modules[name].seed()
            boot_python.run(boot_python.keep_stdin(), self.sdk)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)

    def reap(self):
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self.children.discard(pid)
            signaled = os.WIFSIGNALED(status)
            code = -os.WTERMSIG(status) if signaled else os.WEXITSTATUS(status)
            with contextlib.suppress(OSError):
                self.tell(exited=pid, code=code)

    def tell(self, **facts):
        self.control.sendall(json.dumps(facts).encode("ascii") + b"\n")


if __name__ == "__main__":
    Zygote().run()
