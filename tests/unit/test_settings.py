"""Where settings come from, who wins, and what is refused."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from lean_emulator import settings
from lean_emulator.base.errors import StartError


def load(
    project: Path, flags: Mapping[str, object] | None = None, **environ: str
) -> settings.Loaded:
    return settings.load(project, flags or {}, environ)


def refused(project: Path, flags: Mapping[str, object] | None = None, **environ: str) -> str:
    with pytest.raises(StartError) as caught:
        load(project, flags, **environ)
    return caught.value.message


def write(project: Path, text: str, name: str = "lean-emu.toml") -> None:
    (project / name).write_text(text, "utf-8")


def test_defaults_need_nothing(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    assert loaded.settings == settings.Settings(project_dir=tmp_path.resolve())
    assert set(loaded.origins.values()) == {"default"}


def test_each_source_beats_the_one_below_it(tmp_path: Path) -> None:
    write(tmp_path, "[tool.lean-emu]\nport = 1\n", "pyproject.toml")
    assert load(tmp_path).settings.port == 1
    write(tmp_path, "port = 2\n")
    assert load(tmp_path).settings.port == 2
    assert load(tmp_path, LEAN_EMU_PORT="3").settings.port == 3
    loaded = load(tmp_path, {"port": "4"}, LEAN_EMU_PORT="3")
    assert loaded.settings.port == 4
    assert loaded.origins["port"] == "--port"


def test_origins_name_their_source(tmp_path: Path) -> None:
    write(tmp_path, "[tool.lean-emu]\ncode = false\n", "pyproject.toml")
    write(tmp_path, "watch = false\n")
    origins = load(tmp_path, {"host": "::1"}, LEAN_EMU_PORT="3").origins
    assert origins["code"] == "[tool.lean-emu] in pyproject.toml"
    assert origins["watch"] == "lean-emu.toml"
    assert origins["port"] == "LEAN_EMU_PORT"
    assert origins["host"] == "--host"


def test_hyphens_and_underscores_are_the_same_name(tmp_path: Path) -> None:
    write(tmp_path, "console-port = 5\n")
    assert load(tmp_path).settings.console_port == 5
    write(tmp_path, "console-port = 5\nconsole_port = 6\n")
    assert "twice" in refused(tmp_path)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("yes", True), ("ON", True), ("0", False), ("false", False), ("No", False)],
)
def test_truth_in_the_environment(tmp_path: Path, text: str, value: bool) -> None:
    assert load(tmp_path, LEAN_EMU_KEEP_LAST_GOOD=text).settings.keep_last_good is value


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    assert load(tmp_path, LEAN_EMU_PORT="").settings.port == 3000


def test_the_language_variable_is_no_setting(tmp_path: Path) -> None:
    assert load(tmp_path, LEAN_EMU_LANG="zh").settings.port == 3000


def test_a_typo_in_the_file_offers_the_nearest_name(tmp_path: Path) -> None:
    write(tmp_path, "prot = 1\n")
    assert refused(tmp_path) == ("There is no setting prot (in lean-emu.toml). Did you mean port?")


def test_a_typo_in_the_environment_offers_the_nearest_variable(tmp_path: Path) -> None:
    assert "Did you mean LEAN_EMU_HOOK_DEPTH?" in refused(tmp_path, LEAN_EMU_HOOK_DEEP="1")


def test_project_dir_is_not_a_setting_of_files(tmp_path: Path) -> None:
    write(tmp_path, 'project_dir = "/"\n')
    assert "no setting project_dir" in refused(tmp_path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('port = "many"', "port must be a whole number from 0 to 65535, but lean-emu.toml says"),
        ("port = 70000", "from 0 to 65535, but lean-emu.toml says 70000"),
        ("port = -1", "says -1"),
        ("port = 3.5", "says 3.5"),
        ("port = true", "says True"),
        ("watch = 1", "watch must be true or false, but lean-emu.toml says 1"),
        ("function_seconds = 0", "a number of seconds from 0.001 to 86400"),
        ("function_seconds = nan", "says nan"),
        ("host = ''", "text that is not empty"),
        ("after_hooks = 'later'", "after_hooks must be 'async' or 'await'"),
        ("storage = 'disk'", "storage must be 'memory' or 'tinydb'"),
        ("cmd = ['a']", "cmd must be text"),
    ],
)
def test_values_that_do_not_fit(tmp_path: Path, line: str, said: str) -> None:
    write(tmp_path, line + "\n")
    assert said in refused(tmp_path)


@pytest.mark.parametrize("key", ["with blank", "with,comma", "ümlaut", "new\nline"])
def test_keys_must_fit_a_header_and_are_never_shown(tmp_path: Path, key: str) -> None:
    message = refused(tmp_path, LEAN_EMU_MASTER_KEY=key)
    assert "without blanks and commas" in message
    assert key not in message


def test_broken_toml_names_file_and_place(tmp_path: Path) -> None:
    write(tmp_path, "port = \n")
    message = refused(tmp_path)
    assert "lean-emu.toml is not valid TOML" in message
    assert "line 1" in message


def test_toml_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "lean-emu.toml").write_bytes(b'host = "\xff"')
    assert "not valid TOML" in refused(tmp_path)


def test_tool_table_that_is_no_table(tmp_path: Path) -> None:
    write(tmp_path, "[tool]\nlean-emu = 3\n", "pyproject.toml")
    assert "not a table" in refused(tmp_path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "There is no folder" in refused(tmp_path / "nowhere")


def test_a_relative_interpreter_belongs_to_where_it_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, here = tmp_path / "project", tmp_path / "here"
    project.mkdir()
    here.mkdir()
    monkeypatch.chdir(here)
    write(project, 'python = "venv/bin/python"\n')
    assert load(project).settings.python == str(project / "venv/bin/python")
    flag = load(project, {"python": "venv/bin/python"}).settings.python
    assert flag == str(here / "venv/bin/python")
    assert load(project, {"python": "python3.11"}).settings.python == "python3.11"


def test_every_setting_has_a_default_that_would_be_accepted(tmp_path: Path) -> None:
    for name, spec in settings.specs().items():
        default = settings.default_of(name)
        if default is not None:
            assert getattr(load(tmp_path, {name: default}).settings, name) == default
        assert spec.doc[0].isupper() or spec.doc.startswith("`")
        assert spec.doc.endswith(".")
