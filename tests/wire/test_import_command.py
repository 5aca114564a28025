"""``lean-emu import`` and ``lean-emu export`` as processes, into an instance and into its data."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.wire.test_command_line import ask, up
from tests.wire.test_durable import DURABLE, send

pytestmark = pytest.mark.timeout(60)
HEADER = '#filetype:JSON-streaming {"type":"Class","class":"Post"}\n'
POSTS = HEADER + '{"objectId":"p1","title":"été"}\n{"objectId":"p2","title":"b"}\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "un projet à moi"
    folder.mkdir()
    return folder


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def imported(project: Path, *words: str, code: int = 0) -> Any:
    done = ask("import", *words, "-C", str(project), "--json", *DURABLE)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)["files"]


def exported(project: Path, folder: Path, *words: str) -> dict[str, bytes]:
    done = ask("export", str(folder), "-C", str(project), *DURABLE, *words)
    assert done.returncode == 0, done.stderr
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.name[0] != "."}


def archive(path: Path, files: dict[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return path


def test_into_the_data_of_a_project_and_out_again(project: Path) -> None:
    data = project / "les données"
    put(data / "Post.0.jsonl", POSTS)
    put(data / "_Join:_Role:users:_User.population.json",
        '{"results":[{"owningId":"r1","relatedId":"u1"}]}')  # fmt: skip
    put(data / "_Role.population.json", '{"results":[{"objectId":"r1","name":"Admin"}]}')
    put(data / "Post.schema.json", '{"schema":{"n":{"type":"Number","default":3}}}')
    put(data / "notes.txt", "x")
    files = imported(project, str(data))
    assert [Path(f["file"]).name for f in files] == [
        "Post.schema.json",
        "Post.0.jsonl",
        "_Role.population.json",
        "_Join:_Role:users:_User.population.json",
    ]
    assert [f.get("inserted") for f in files] == [None, 2, 1, 1]
    first = exported(project, project / "out")
    fresh = project / "fresh"
    fresh.mkdir()
    imported(fresh, str(project / "out"))
    assert exported(fresh, fresh / "out") == first
    with up(project, *DURABLE):
        found = send(project, "GET", "/1.1/classes/Post/p1")
        assert (found["title"], found["n"]) == ("été", 3)


def test_into_a_running_instance_and_out_of_it(project: Path) -> None:
    posts = put(project / "Post.json", '[{"objectId":"p1","title":"a"}]')
    with up(project):
        done = ask("import", str(posts), "-C", str(project))
        assert done.returncode == 0, done.stderr
        assert "--hooks" in done.stderr
        assert send(project, "GET", "/1.1/classes/Post/p1")["title"] == "a"
        done = ask("import", str(posts), "-C", str(project), "--json")
        (told,) = json.loads(done.stdout)["files"]
        assert (told["inserted"], told["skipped"]) == (0, 1)
        files = exported(project, project / "out", "--format", "json", "--class", "Post")
        (row,) = json.loads(files["Post.population.json"])["results"]
        assert (row["objectId"], row["title"]) == ("p1", "a")


def test_an_archive_of_the_platform(project: Path) -> None:
    files = {"Post.0.jsonl": POSTS, "in/_User.0.jsonl": '{"username":"ann"}\n', "../x.json": "[{}]"}
    told = imported(project, str(archive(project / "export é.tar.gz", files)))
    assert [(f["class"], f["inserted"]) for f in told] == [("Post", 2), ("_User", 1)]
    assert not (project / "x.json").exists()


def test_a_backup_in_bson(project: Path) -> None:
    bson = pytest.importorskip("bson")
    folder = project / "backup" / "app"
    folder.mkdir(parents=True)
    rows = [{"_id": f"p{n}", "n": n} for n in range(3)]
    (folder / "Post.bson").write_bytes(b"".join(map(bson.encode, rows)))
    put(folder / "Post.metadata.json", "{}")
    (told,) = imported(project, str(project / "backup"))
    assert (told["class"], told["inserted"]) == ("Post", 3)


def test_wrong_rows_are_told_of_with_their_lines(project: Path) -> None:
    path = put(project / "Post.csv", "string,int\nobjectId,n\np1,1\np2,x\np3,3\n")
    done = ask("import", str(path), "-C", str(project), *DURABLE)
    assert done.returncode == 1
    assert f"{path}, line 4: n: 'x' is no number" in done.stderr
    assert "p3" in exported(project, project / "out")["Post.0.jsonl"].decode()


@pytest.mark.parametrize("option", ["--strict", "--dry-run"])
def test_nothing_is_stored(project: Path, option: str) -> None:
    one = put(project / "A.0.jsonl", '{"n":1}\n{"n":"x"}\n{"n":2}\n')
    two = put(project / "B.0.jsonl", '{"n":1}\n')
    told = imported(project, str(one), str(two), option, code=1)
    assert told[0]["errors"][0]["line"] == 2
    assert len(told) == (1 if option == "--strict" else 2)
    assert exported(project, project / "out") == {}


def test_strict_stores_files_without_wrong_rows(project: Path) -> None:
    path = put(project / "A.json", '{"results":[{"n":1},{"n":2}]}')
    (told,) = imported(project, str(path), "--strict")
    assert told["inserted"] == 2


def test_one_class_whatever_files_are_called(project: Path) -> None:
    path = put(project / "some rows.jsonl", HEADER + '{"n":1}\n')
    (told,) = imported(project, str(path), "--class", "Note")
    assert (told["class"], told["inserted"]) == ("Note", 1)


def test_contents_come_along(project: Path) -> None:
    record = {"objectId": "f1", "name": "a.txt", "key": "k/é.txt", "url": "http://gone/"}
    put(project / "_File.json", json.dumps([record]))
    put(project / "contents" / "k" / "é.txt", "hello")
    path, contents = str(project / "_File.json"), str(project / "contents")
    (told,) = imported(project, path, "--contents", contents)
    assert told["contents"] == 1
    assert (project / ".lean-emu" / "data" / "files" / "f1").read_text() == "hello"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nowhere.json",), 5, "nowhere.json."),
        (("notes.txt",), 5, "cannot be told from its name"),
        (("empty",), 5, "There is nothing to import in"),
        (("bad.tar.gz",), 5, "bad.tar.gz cannot be unpacked"),
        (("A.json", "--hooks", "--dry-run"), 2, "fires no hooks"),
        (("A.json", "--storage", "memory"), 1, "objects are kept in memory"),
    ],
)
def test_what_cannot_be(project: Path, words: tuple[str, ...], code: int, said: str) -> None:
    put(project / "A.json", "[]")
    put(project / "notes.txt", "x")
    put(project / "bad.tar.gz", "no archive")
    (project / "empty").mkdir()
    paths = [word if word.startswith("--") or word == "memory" else str(project / word)
             for word in words]  # fmt: skip
    done = ask("import", *paths, "-C", str(project))
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr


def test_an_export_when_it_stops(project: Path) -> None:
    folder = project / "à la fin"
    put(folder / "Post.0.jsonl", "mine")
    with up(project, "--export-on-exit", str(folder)) as running:
        send(project, "POST", "/1.1/classes/Post", {"title": "kept"})
        assert running.stop() == 0
    assert "kept" in (folder / "Post.0.jsonl").read_text("utf-8")
    assert (folder / "Post.0.jsonl.before-1").read_text() == "mine"


def test_a_class_that_is_not_there(project: Path) -> None:
    done = ask("export", str(project / "out"), "-C", str(project), "--class", "Nope", *DURABLE)
    assert done.returncode == 1
    assert "There is no class 'Nope'" in done.stderr


def test_an_import_when_it_starts(project: Path) -> None:
    path = put(project / "Post.0.jsonl", POSTS + '{"title":5}\n')
    for already in (0, 2):
        with up(project, *DURABLE, "--import", str(path)) as running:
            text = "\n".join(running.text)
            assert f"imported {2 - already} rows, {already} were there already, 1 refused" in text
            assert f"{path}, line 4" in text
            assert send(project, "GET", "/1.1/classes/Post/p1")["title"] == "été"
            running.stop()


def test_hooks_that_cannot_run_keep_everything_out(project: Path) -> None:
    put(project / "cloud.py", "oops")
    path = put(project / "Post.json", "[{}]")
    done = ask("import", str(path), "-C", str(project), "--hooks", *DURABLE)
    assert done.returncode == 3
    assert "did not load" in done.stderr
    assert exported(project, project / "out") == {}


def test_a_class_that_cannot_be_is_one_error_and_not_many(project: Path) -> None:
    path = put(project / "_Mine.json", "[{},{},{}]")
    (told,) = imported(project, str(path), code=1)
    (error,) = told["errors"]
    assert "_Mine" in error["error"]


def test_a_row_that_is_too_large_keeps_no_other_out(project: Path) -> None:
    large = json.dumps({"t": "x" * 21_000_000})
    path = put(project / "A.0.jsonl", f'{{"n":1}}\n{large}\n{{"n":2}}\n')
    (told,) = imported(project, str(path), code=1)
    assert (told["inserted"], [e["line"] for e in told["errors"]]) == (2, [2])


def test_the_archive_of_an_export_job(project: Path) -> None:
    source = project / "source"
    source.mkdir()
    with up(source):
        send(source, "POST", "/1.1/users", {"username": "ann", "password": "secret"})
        member: Any = {"__type": "Pointer", "className": "_User", "objectId": "u1"}
        likes = {"__op": "AddRelation", "objects": [member]}
        send(source, "POST", "/1.1/classes/Post", {"title": "é", "likes": likes})
        job = send(source, "POST", "/1.1/exportData", {})
        url = send(source, "GET", f"/1.1/exportData/{job['id']}")["download_url"]
        with urlopen(url) as answer:
            (project / "export.tar.gz").write_bytes(answer.read())
    told = imported(project, str(project / "export.tar.gz"))
    assert [(f["class"], f["inserted"]) for f in told] == [
        ("Post", 1), ("_User", 1), ("_Join:Post:likes:_User", 1),
    ]  # fmt: skip
    with up(project, *DURABLE):
        body = {"username": "ann", "password": "secret"}
        assert send(project, "POST", "/1.1/login", body)["username"] == "ann"
