"""A project whose code needs no SDK: a server of its own that speaks the platform's protocol."""

import shlex
import sys
from pathlib import Path

SERVER = '''\
"""Reviews without an SDK: their comments are cut, and those without one are refused."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAMES = ["hello", "environment", "__before_save_for_Review", "__after_save_for_Review"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # head and body in one packet

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer(200, {"result": NAMES} if self.path.endswith("metadatas") else {})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"{}")
        name = self.path.partition("/functions/")[2]
        if name == "hello":
            print("hello was called", flush=True)
            self.answer(200, {"result": f"Hello, {body.get('name', 'world')}!"})
        elif name == "environment":
            self.answer(200, {"result": os.environ.get(body["name"])})
        elif name == "Review/beforeSave":
            review = body["object"]
            if not review.get("comment"):
                self.answer(400, {"code": 1, "error": "No comment!"})
            else:
                if len(review["comment"]) > 140:
                    review["comment"] = review["comment"][:140] + "…"
                self.answer(200, review)
        else:
            self.answer(200, {"result": "ok"})

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


port = int(os.environ["LEANCLOUD_APP_PORT"])
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
'''


def write_project(folder: Path, server: str = SERVER) -> Path:
    """Make a project in a folder that is not there yet."""
    folder.mkdir(parents=True)
    (folder / "server.py").write_text(server, encoding="utf-8")
    command = f"{shlex.quote(sys.executable)} server.py"
    (folder / "lean-emu.toml").write_text(f"cmd = {command!r}\n", encoding="utf-8")
    return folder


ONE_HOOK = SERVER.replace(', "__after_save_for_Review"', "")
"""The same with beforeSave alone, as ``fixtures/cloud/reviews`` has it."""
