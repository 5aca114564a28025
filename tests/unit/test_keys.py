"""The project's keys: made once, kept for their owner alone, never made anew in silence."""

import json
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from lean_emulator import keys, state_folder
from lean_emulator.base.errors import StartError
from lean_emulator.keys import Keys

NOTHING: dict[str, str | None] = {}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_keys_are_made_once(tmp_path: Path) -> None:
    first = keys.load(tmp_path, NOTHING)
    assert keys.load(tmp_path, NOTHING) == first
    assert first.path == tmp_path / ".lean-emu" / "keys.json"
    assert first.warnings == ()


def test_shapes(tmp_path: Path) -> None:
    made = keys.load(tmp_path, NOTHING).keys
    assert len(made.app_id) == 33
    assert made.app_id.endswith("-gzGzoHsz")
    assert len(made.app_key) == len(made.master_key) == 24
    assert len(made.hook_key) >= 24
    assert all(keys.usable(getattr(made, name)) for name in keys.NAMES)
    assert Keys.fresh() != Keys.fresh()


def test_files_are_for_their_owner_and_out_of_git(tmp_path: Path) -> None:
    found = keys.load(tmp_path, NOTHING)
    assert found.path is not None
    assert mode(found.path) == 0o600
    assert mode(found.path.parent) == 0o700
    assert (found.path.parent / ".gitignore").read_text() == "*\n"
    assert sorted(os.listdir(found.path.parent)) == [".gitignore", "keys.json"]


def test_overrides_win_one_by_one(tmp_path: Path) -> None:
    made = keys.load(tmp_path, NOTHING).keys
    found = keys.load(tmp_path, {"app_key": "mine", "hook_key": None})
    assert found.keys == Keys(made.app_id, "mine", made.master_key, made.hook_key)


def test_with_all_keys_given_nothing_is_written(tmp_path: Path) -> None:
    found = keys.load(tmp_path, {name: name for name in keys.NAMES})
    assert found.keys == Keys("app_id", "app_key", "master_key", "hook_key")
    assert not (tmp_path / ".lean-emu").exists()


def test_a_file_edited_by_hand_counts(tmp_path: Path) -> None:
    path = keys.load(tmp_path, NOTHING).path
    assert path is not None
    chosen = {"app_id": "a", "app_key": "b", "master_key": "c", "hook_key": "d", "note": "mine"}
    path.write_text(json.dumps(chosen))
    assert keys.load(tmp_path, NOTHING).keys == Keys("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"app_id": "a"}', "app_key is missing"),
        ('{"app_id": "a b", "app_key": "", "master_key": "", "hook_key": ""}', "app_id is not"),
        ('{"app_id": 7}', "app_id is not"),
    ],
)
def test_a_damaged_file_is_an_error_and_stays(tmp_path: Path, content: str, why: str) -> None:
    path = keys.load(tmp_path, NOTHING).path
    assert path is not None
    path.write_text(content)
    with pytest.raises(StartError) as caught:
        keys.load(tmp_path, NOTHING)
    assert why in caught.value.message
    assert caught.value.hint is not None
    assert f"rm {path}" in caught.value.hint.en
    assert path.read_text() == content


def test_keys_that_others_can_read_are_used_with_a_warning(tmp_path: Path) -> None:
    first = keys.load(tmp_path, NOTHING)
    assert first.path is not None
    first.path.chmod(0o644)
    found = keys.load(tmp_path, NOTHING)
    assert found.keys == first.keys
    assert found.warnings == (
        f"Others on this machine can read your keys (mode 0644): chmod 600 {first.path}",
    )


def test_a_folder_that_cannot_be_written_gives_keys_for_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(project_dir: Path) -> Path:
        raise PermissionError(13, "Permission denied", str(project_dir))

    monkeypatch.setattr(state_folder, "ensure", refuse)
    found = keys.load(tmp_path, NOTHING)
    assert found.path is None
    assert "kept nowhere" in found.warnings[0]
    assert keys.load(tmp_path, NOTHING).keys != found.keys


def test_keys_do_not_show_themselves() -> None:
    made = Keys.fresh()
    shown = repr(made)
    assert made.app_id in shown
    assert not any(secret in shown for secret in (made.app_key, made.master_key, made.hook_key))


def _load_at_once(folder: str, barrier: "multiprocessing.synchronize.Barrier") -> Keys:
    barrier.wait()
    return keys.load(Path(folder), {}).keys


@pytest.mark.timeout(60)
def test_processes_that_start_together_get_the_same_keys(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(4) as pool:
        barrier = manager.Barrier(4)
        made = pool.starmap(_load_at_once, [(str(tmp_path), barrier)] * 4)
    assert len(set(made)) == 1
