"""Runs one command and ends with it; started by path as the leader of a session.

Commands do not watch their stdin, so this does it for them: when it closes without a farewell, the
parent has died and the whole group is killed. It also tells the command which pipes are the
parent's, for ``preload_node.js``.
"""

import os
import signal
import subprocess
import sys
import threading


def watch_parent(command: "subprocess.Popen[bytes]") -> None:
    if os.read(0, 64):
        return
    if hasattr(os, "killpg"):
        os.killpg(os.getpgrp(), signal.SIGKILL)
    command.kill()


def main(argv: list[str]) -> int:
    pipes = ":".join(str(os.fstat(number).st_ino) for number in (1, 2))
    environment = {**os.environ, "LEAN_EMU_PIPES": pipes}
    try:
        command = subprocess.Popen(  # noqa: S603 - its purpose
            argv, stdin=subprocess.DEVNULL, env=environment
        )
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        return 127
    # The group gets the signal as a whole: the command decides, this waits for it.
    signal.signal(signal.SIGTERM, lambda *_: None)
    threading.Thread(target=watch_parent, args=(command,), daemon=True).start()
    code = command.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.stdout.flush()
    os._exit(main(sys.argv[1:]))
