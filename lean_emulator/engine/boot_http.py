"""A small HTTP/1.1 server for one WSGI application, one thread per connection.

Part of ``boot_python.py``: runs in the user's own Python, 3.6 or newer, on the standard library.
Threads, because a hook that saves is called again before it has returned.
"""

import contextlib
import io
import socket
import sys
import tempfile
import threading
import traceback
from urllib.parse import unquote_to_bytes

LINES_HEADER = "X-Lean-Emu-Lines"
SMALL = 1 << 20
LONGEST_HEAD = 1 << 16


class BadRequest(Exception):
    """The bytes on the socket are not HTTP we serve; the text says which."""


class Connection(object):
    """One kept connection: requests one after the other."""

    def __init__(self, fd, family, server):
        # Made anew in its own thread: a gevent socket belongs to the thread that makes it.
        self.socket = socket.socket(family, socket.SOCK_STREAM, fileno=fd)
        self.server = server
        self.rest = b""

    def run(self):
        try:
            if self.socket.family != getattr(socket, "AF_UNIX", None):
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while self.serve():
                pass
        except BadRequest as error:
            text = ("%s\n" % error).encode("utf-8")
            head = "HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
            self.socket.sendall((head % len(text)).encode("ascii") + text)
        except OSError:
            pass  # the other side went away
        finally:
            with contextlib.suppress(OSError):
                self.socket.close()

    def serve(self):
        """One request; false when the connection is to be closed."""
        head = self.until(b"\r\n\r\n", LONGEST_HEAD)
        if head is None:
            return False
        environ, call_id = self.environment(head.decode("latin-1").split("\r\n"))
        environ["wsgi.input"] = self.body(environ)
        answer = Answer(self.socket, environ)
        call = self.server.begin(call_id) if call_id else None
        self.server.serve(call, answer.make, self.server.application)
        answer.finish(call)
        return answer.keep

    def environment(self, lines):
        try:
            method, target, protocol = lines[0].split(" ")
        except ValueError:
            raise BadRequest("The request line cannot be read: %r" % lines[0][:80]) from None
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or name != name.strip():
                raise BadRequest("A header line cannot be read: %r" % line[:80])
            if "_" in name:
                continue  # it would pass for the one with a dash
            key = name.upper().replace("-", "_")
            if key in headers:
                value = headers[key] + ("; " if key == "COOKIE" else ", ") + value.strip()
            headers[key] = value.strip()
        call_id = headers.pop("X_LEAN_EMU_CALL", None)
        if "://" in target.split("?", 1)[0]:
            target = "/" + target.split("://", 1)[1].partition("/")[2]
        path, _, query = target.partition("?")
        host, _, port = headers.get("HOST", "127.0.0.1").rpartition(":")
        if not port.isdigit():
            host, port = headers.get("HOST", "127.0.0.1"), self.server.public_port
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path.encode("latin-1")).decode("latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": target,
            "RAW_URI": target,
            "SERVER_PROTOCOL": protocol,
            "SERVER_NAME": host,
            "SERVER_PORT": port,
            "SERVER_SOFTWARE": "lean-emu",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for key, value in headers.items():
            plain = key in ("CONTENT_TYPE", "CONTENT_LENGTH")
            environ[key if plain else "HTTP_" + key] = value
        return environ, call_id

    def body(self, environ):
        """The whole body, in memory or (over 1 MB) in a temporary file, whatever it came as."""
        if environ.get("HTTP_EXPECT", "").lower() == "100-continue":
            self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
            file = tempfile.TemporaryFile()  # noqa: SIM115 - the application reads and drops it
            while True:
                line = self.until(b"\r\n", 1024) or b""
                size = whole_number(line.split(b";")[0].strip().decode("latin-1"), 16)
                if not size:
                    break
                self.copy(size, file)
                self.until(b"\r\n", 1024)
            while self.until(b"\r\n", LONGEST_HEAD):
                pass  # trailers
            environ["CONTENT_LENGTH"] = str(file.tell())
            file.seek(0)
            return file
        length = whole_number(environ.get("CONTENT_LENGTH") or "0", 10)
        file = io.BytesIO() if length <= SMALL else tempfile.TemporaryFile()  # noqa: SIM115 - as above
        self.copy(length, file)
        file.seek(0)
        return file

    def copy(self, length, file):
        while length:
            data = self.rest or self.socket.recv(min(1 << 16, length))
            if not data:
                raise BadRequest("The connection broke off inside the request body.")
            self.rest = data[length:]
            length -= file.write(data[:length])

    def until(self, end, limit):
        """Bytes before ``end``; ``None`` when the connection closes first."""
        data = self.rest
        while end not in data:
            if len(data) > limit:
                raise BadRequest("A header is longer than %d bytes." % limit)
            more = self.socket.recv(1 << 16)
            if not more:
                return None
            data += more
        found, _, self.rest = data.partition(end)
        return found


def whole_number(text, base):
    try:
        number = int(text, base)
    except ValueError:
        number = -1
    if number < 0:
        raise BadRequest("Not a length: %r" % text[:20])
    return number


class Answer(object):
    """What the application says, gathered while it is small, streamed otherwise."""

    def __init__(self, sock, environ):
        self.socket = sock
        self.environ = environ
        self.status = None
        self.headers = []
        self.held = []
        self.sent = False
        self.chunked = False
        self.hold = False
        self.size = 0
        old = environ["SERVER_PROTOCOL"] != "HTTP/1.1"
        wish = environ.get("HTTP_CONNECTION", "close" if old else "").lower()
        self.keep = "close" not in wish and not (old and "keep-alive" not in wish)
        self.bare = environ["REQUEST_METHOD"] == "HEAD"

    def make(self, application):
        """Run the application; an exception that escapes it becomes a 500 and a traceback."""
        result = None
        try:
            result = application(self.environ, self.start)
            self.hold = isinstance(result, (list, tuple)) or 0 <= self.declared() <= SMALL
            for data in result:
                self.write(data)
        except BaseException as error:
            if self.sent and isinstance(error, OSError):
                raise  # the other side went away in the middle of a stream
            self.fail(error)
        finally:
            if hasattr(result, "close"):
                result.close()

    def start(self, status, headers, exc_info=None):
        if exc_info and self.sent:
            raise exc_info[1].with_traceback(exc_info[2])
        self.status, self.headers = status, list(headers)
        return self.write

    def write(self, data):
        if isinstance(data, str):  # the SDK answers preflights with text
            data = data.encode("latin-1")
        if not data:
            return
        if self.status is None:
            raise RuntimeError("the application wrote before it called start_response")
        self.size += len(data)
        if self.hold and self.size <= SMALL:
            self.held.append(data)
        else:
            self.send(data)

    def declared(self):
        """The length the application has declared, or -1."""
        for name, value in self.headers:
            if name.lower() == "content-length" and value.isdigit():
                return int(value)
        return -1

    def fail(self, error):
        traceback.print_exc()
        last = traceback.format_exception_only(type(error), error)[-1].strip()
        self.keep = self.keep and not self.sent
        if not self.sent:
            text = "Internal Server Error\n\n%s\n" % last
            self.held = [text.encode("utf-8", "backslashreplace")]
            self.status, self.hold = "500 Internal Server Error", True
            self.headers = [("Content-Type", "text/plain; charset=utf-8")]

    def finish(self, call):
        """Send what was held, with the number of lines that were printed on the way."""
        if not self.sent:
            if self.status is None:
                self.fail(RuntimeError("the application never called start_response"))
            if call is not None and call.lines:
                self.headers.append((LINES_HEADER, str(call.lines)))
            body = b"".join(self.held)
            if self.declared() < 0 and self.with_body():
                self.headers.append(("Content-Length", str(len(body))))
            self.held = []
            self.send(body)
        if self.chunked:
            self.socket.sendall(b"0\r\n\r\n")

    def with_body(self):
        return not (self.status[:1] == "1" or self.status[:3] in ("204", "304"))

    def send(self, data):
        head = b""
        if not self.sent:
            self.sent = True
            data = b"".join(self.held) + data
            self.held = []
            if self.with_body() and self.declared() < 0:
                self.chunked = self.environ["SERVER_PROTOCOL"] == "HTTP/1.1"
                self.keep = self.keep and self.chunked
                if self.chunked:
                    self.headers.append(("Transfer-Encoding", "chunked"))
            if not self.keep:
                self.headers.append(("Connection", "close"))
            lines = ["HTTP/1.1 " + self.status]
            lines += ["%s: %s" % header for header in self.headers]
            head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        if self.bare or not self.with_body():
            data, self.chunked = b"", False
        elif self.chunked and data:
            data = b"%x\r\n%s\r\n" % (len(data), data)
        if head or data:
            self.socket.sendall(head + data)


class Server(object):
    """Accepts connections, one thread each."""

    def __init__(self, application, begin, serve, path, port):
        """``begin(id)`` makes a call (with ``lines``), ``serve(call, function, *args)`` runs it.

        ``path`` is where to make a unix socket, ``None`` for a free port of 127.0.0.1; ``port`` is
        what requests that name no host are told.
        """
        self.application = application
        self.begin = begin
        self.serve = serve
        self.path = path
        self.public_port = port
        if path:
            self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.listener.bind(path)
        else:
            self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(512)

    def port(self):
        """The port taken, ``None`` on a unix socket."""
        return None if self.path else self.listener.getsockname()[1]

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            args = (connection.detach(), self.listener.family)
            threading.Thread(target=self.connected, args=args, daemon=True).start()

    def connected(self, fd, family):
        Connection(fd, family, self).run()
