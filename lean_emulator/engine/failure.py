"""Why the user's code did not load, in words that lead on."""

import re
import shlex
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lean_emulator.base import errors
from lean_emulator.base.errors import Hint
from lean_emulator.engine.project import Project

_SDK_LAST_PYTHON = (3, 11)
_ERROR = re.compile(r"(?:Uncaught )?(?:[A-Z]\w*)?Error\b[^:]*: ")
_NO_PACKAGE = re.compile(r"Cannot find (?:module|package) '[^'./]")


@dataclass(frozen=True, slots=True)
class LoadFailure:
    """``last_line`` is the traceback's; ``traceback`` the whole text, empty when there is none.

    ``file`` is relative to the project; ``message`` is the sentence clients get.
    """

    last_line: str
    traceback: str
    file: str | None
    line: int | None
    message: str
    hint: Hint

    def error(self) -> errors.CodeDidNotLoad:
        return errors.CODE_DID_NOT_LOAD(self.message, hint=self.hint)


_MEND = Hint(en="fix it and save: it loads again by itself", zh="修改并保存即可自动重新加载")
_READ = Hint(
    en="its own output says why; it starts again when you save a file",
    zh="原因见其输出；保存文件后会重新启动",
)
WHERE_WATCHED = frozenset({_MEND, _READ})
"""Hints that are true only where files are watched."""


def from_report(project: Project, facts: Mapping[str, Any]) -> LoadFailure:
    """From what ``boot_python`` says when the user's code raised."""
    file, line = facts["file"], facts["line"]
    last = facts["last_line"]
    trace = facts["traceback"]
    hint = _MEND
    if facts["missing"] == "leancloud":
        last, hint = _no_sdk(project, facts["python"])
        trace = ""
    elif facts["missing"] == "debugpy":
        last = f"debugpy is not installed in {project.interpreter}"
        install = f"{shlex.quote(str(project.interpreter))} -m pip install debugpy"
        hint = Hint(en=f"install it: {install}", zh=f"请安装：{install}")
        trace, file = "", None
    elif facts["missing"] and facts["type"] in ("ModuleNotFoundError", "ImportError"):
        hint = _no_module(project, facts["missing"])
    elif facts["type"] == "NoApplication":
        last, hint = _no_application(project)
        trace, file = "", None
    elif facts["exit"] is not None:
        last = f"it called sys.exit({facts['exit']}) while loading"
        hint = Hint(
            en='code that starts a server belongs under: if __name__ == "__main__":',
            zh='启动服务器的代码应放在 if __name__ == "__main__": 之下',
        )
    place = f" ({file}:{line})" if file and line and facts["missing"] != "leancloud" else ""
    message = f"{project.title} did not load: {last}{place}"
    return LoadFailure(last, trace, file, line, message, hint)


def from_exit(project: Project, code: int, lines: Sequence[str]) -> LoadFailure:
    """From a process that ended before it was ready; ``lines`` are the last it wrote."""
    said = _cause(lines)
    last = f"the process ended {ending(code)}" + (f": {said.strip()[:300]}" if said else "")
    hint = _READ
    if _NO_PACKAGE.search(said):
        install = f"npm install --prefix {shlex.quote(str(project.directory))}"
        hint = Hint(en=f"is it installed? {install}", zh=f"是否已安装？可执行：{install}")
    message = f"{project.title} did not load: {last}"
    return LoadFailure(last, "\n".join(lines), None, None, message, hint)


def _cause(lines: Sequence[str]) -> str:
    """The line that names an error, as Node writes it before the stack; else the last one."""
    written = [line for line in reversed(lines) if line.strip()]
    return next((line for line in written if _ERROR.match(line)), written[0] if written else "")


def from_start_limit(project: Project, seconds: float) -> LoadFailure:
    """From a process that lives but does not get ready."""
    if project.kind == "command":
        last = f"it did not answer HTTP on its port within {seconds:g} s"
        hint = Hint(
            en="it must listen on the port in $PORT or $LEANCLOUD_APP_PORT, on 127.0.0.1",
            zh="它必须监听 127.0.0.1 上由 $PORT 或 $LEANCLOUD_APP_PORT 指定的端口",
        )
    else:
        last = f"it did not finish loading within {seconds:g} s"
        hint = Hint(
            en="look for a loop, a server being started or a slow call at the top of the file",
            zh="请检查文件顶层是否有死循环、启动服务器或耗时的调用",
        )
    return LoadFailure(last, "", None, None, f"{project.title} did not load: {last}", hint)


def from_silence(project: Project, cause: str) -> LoadFailure:
    """From a process that was ready and then did not tell its functions."""
    last = f"it was ready and then did not answer: {cause}"
    hint = Hint(en="its own output may say why", zh="原因可能见其输出")
    return LoadFailure(last, "", None, None, f"{project.title} did not load: {last}", hint)


def from_secrecy(project: Project) -> LoadFailure:
    """From code that does not tell its functions although its ``functionsMode`` is strict."""
    last = "it does not tell its functions, and leanengine.yaml has functionsMode: strict"
    hint = Hint(
        en="mount the LeanEngine middleware, or take functionsMode out: GET "
        "/1.1/functions/_ops/metadatas must answer",
        zh="请挂载云引擎中间件，或去掉 functionsMode：GET /1.1/functions/_ops/metadatas 必须有响应",
    )
    return LoadFailure(last, "", None, None, f"{project.title} did not load: {last}", hint)


def from_os_error(project: Project, program: Path | str, error: OSError) -> LoadFailure:
    """From a program that cannot be run at all."""
    last = f"{program} cannot be run: {error.strerror or error}"
    return LoadFailure(
        last,
        "",
        None,
        None,
        f"{project.title} did not load: {last}",
        Hint(
            en="give another interpreter with --python, or another command with --cmd",
            zh="请用 --python 指定其他解释器，或用 --cmd 指定其他命令",
        ),
    )


def ending(code: int) -> str:
    """An exit code in words: ``with exit code 1``, ``by signal SIGKILL``."""
    if code >= 0:
        return f"with exit code {code}"
    try:
        return f"by signal {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"


def _no_sdk(project: Project, python: Sequence[int]) -> tuple[str, Hint]:
    version = ".".join(str(part) for part in python)
    interpreter = shlex.quote(str(project.interpreter))
    last = f"the leancloud package is not installed in {project.interpreter} (Python {version})"
    if tuple(python[:2]) > _SDK_LAST_PYTHON:
        return last, Hint(
            en="the package installs on Python 3.11 and older only: make an environment with it, "
            f"python3.11 -m venv {shlex.quote(str(project.directory / '.venv'))} && "
            f"{shlex.quote(str(project.directory / '.venv/bin/python'))} -m pip install leancloud",
            zh="该包只能安装在 Python 3.11 及更早版本上，请用它建立虚拟环境："
            f"python3.11 -m venv {shlex.quote(str(project.directory / '.venv'))} && "
            f"{shlex.quote(str(project.directory / '.venv/bin/python'))} -m pip install leancloud",
        )
    command = f"{interpreter} -m pip install leancloud"
    return last, Hint(en=f"install it: {command}", zh=f"请安装：{command}")


def _no_module(project: Project, name: str) -> Hint:
    package = name.partition(".")[0]
    what = "-r requirements.txt" if (project.directory / "requirements.txt").is_file() else package
    command = f"{shlex.quote(str(project.interpreter))} -m pip install {what}"
    return Hint(
        en=f"is it installed there? {command}", zh=f"该解释器中是否已安装？可执行：{command}"
    )


def _no_application(project: Project) -> tuple[str, Hint]:
    if project.kind == "wsgi.py":
        return "it has no global called application", Hint(
            en="end wsgi.py with: application = engine",
            zh="请在 wsgi.py 末尾加上：application = engine",
        )
    return "it has no leancloud.Engine", Hint(
        en="begin with: from leancloud import Engine; engine = Engine()",
        zh="请在开头加上：from leancloud import Engine; engine = Engine()",
    )
