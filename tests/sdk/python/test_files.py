"""Files through the official Python SDK: upload, download, external, metaData, columns."""

import io
from pathlib import Path
from typing import Any

import leancloud
import pytest
import requests
from emu_process import Emulator, copied, point_sdk_at, wait_until
from stored_objects import fresh_class, reread, save

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 500


def uploaded(emu: Emulator, name: str = "a.png", data: Any = PNG, **more: Any) -> leancloud.File:
    """A saved file whose upload has been reported, which the SDK does in a thread of its own."""
    file = leancloud.File(name, data, **more)
    emu.forget()
    file.save()
    wait_until(lambda: reported(emu), "the callback of the SDK")
    return file


def reported(emu: Emulator) -> bool:
    return any(step["title"] == "POST /1.1/fileCallback" for step in emu.steps())


def content(url: str) -> bytes:
    answer = requests.get(url, timeout=10)
    assert answer.status_code == 200
    return bytes(answer.content)


def test_save_and_download(emu: Emulator) -> None:
    file = uploaded(emu)
    assert len(file.id) == 24
    assert file.name == "a.png"
    assert file.mime_type == "image/png"
    assert file.url.startswith(f"{emu.api_url}/__files/")
    assert file.key.endswith(".png")
    answer = requests.get(file.url, timeout=10)
    assert answer.content == PNG
    assert answer.headers["Content-Type"] == "image/png"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty.txt", b""),
        ("影评.txt", "影评".encode()),
        ("no extension", b"x"),
        ("a.b.tar.gz", b"\x1f\x8b"),
        ("", b"nameless"),
        ("large.bin", bytes(range(256)) * 8_000),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_names_and_contents(emu: Emulator, name: str, data: bytes) -> None:
    file = uploaded(emu, name, data)
    assert content(file.url) == data
    assert file.name == (name or file.key)


@pytest.mark.parametrize("wrap", [io.BytesIO, memoryview, bytes])
def test_what_the_sdk_takes_for_data(emu: Emulator, wrap: Any) -> None:
    assert content(uploaded(emu, data=wrap(PNG)).url) == PNG


def test_the_media_type_is_the_clients(emu: Emulator) -> None:
    file = uploaded(emu, mime_type="application/x-own")
    assert file.mime_type == "application/x-own"
    assert requests.get(file.url, timeout=10).headers["Content-Type"] == "application/x-own"


def test_meta_data(emu: Emulator) -> None:
    file = uploaded(emu)
    assert file.size == len(PNG)
    assert file.owner_id == "unknown"
    found = leancloud.File.create_without_data(file.id)
    found.fetch()
    assert found.metadata == file.metadata
    assert len(found.metadata["_checksum"]) == 32


def test_the_owner_is_who_is_signed_in(emu: Emulator) -> None:
    user = leancloud.User()
    user.set_username(fresh_class("ann"))
    user.set_password("secret")
    user.sign_up()
    try:
        assert uploaded(emu).owner_id == user.id
    finally:
        user.logout()


def test_external_files(emu: Emulator) -> None:
    file = leancloud.File.create_with_url(
        "logo.png", "https://example.com/logo.png", meta_data={"own": 1}, mime_type="image/png"
    )
    file.save()
    assert len(file.id) == 24
    found = leancloud.File.create_without_data(file.id)
    found.fetch()
    assert (found.name, found.url) == ("logo.png", "https://example.com/logo.png")
    assert found.metadata == {"__source": "external", "owner": "unknown", "own": 1}


def test_thumbnails(emu: Emulator) -> None:
    file = uploaded(emu)
    thumbnail = file.get_thumbnail_url(100, 50)
    assert "?imageView/2/w/100/h/50" in thumbnail
    assert content(thumbnail) == PNG


def test_a_query_of_files(emu: Emulator) -> None:
    file = uploaded(emu, "wanted.png")
    found = leancloud.Query(leancloud.File).equal_to("key", file.key).find()
    assert [(f.id, f.name, f.url) for f in found] == [(file.id, "wanted.png", file.url)]
    assert leancloud.Query("_File").equal_to("objectId", file.id).count() == 1


def test_destroy_is_for_the_master_key(emu: Emulator) -> None:
    file = uploaded(emu)
    with pytest.raises(leancloud.LeanCloudError) as refused:
        file.destroy()
    assert refused.value.code == 403
    assert content(file.url) == PNG
    point_sdk_at(emu, master=True)
    file.destroy()
    assert requests.get(file.url, timeout=10).status_code == 404


def test_a_file_in_a_column(emu: Emulator) -> None:
    file = uploaded(emu)
    post = save(fresh_class("Post"), cover=file)
    cover = reread(post).get("cover")
    assert (cover.id, cover.name, cover.url) == (file.id, file.name, file.url)
    assert cover.metadata["size"] == len(PNG)
    assert content(cover.url) == PNG
    found = leancloud.Query(type(post)).equal_to("cover", file).find()
    assert [one.id for one in found] == [post.id]


def test_files_in_a_list(emu: Emulator) -> None:
    files = [uploaded(emu), uploaded(emu, "b.txt", b"b")]
    post = save(fresh_class("Post"), files=files)
    assert [file.url for file in reread(post).get("files")] == [file.url for file in files]


def test_a_file_of_an_included_object(emu: Emulator) -> None:
    file = uploaded(emu)
    post = save(fresh_class("Post"), cover=file)
    comment = save(fresh_class("Comment"), post=post)
    found = leancloud.Query(type(comment)).include("post").get(comment.id)
    assert found.get("post").get("cover").url == file.url


def test_an_object_whose_file_is_gone_can_be_read(emu: Emulator) -> None:
    file = uploaded(emu)
    post = save(fresh_class("Post"), cover=file, files=[file])
    point_sdk_at(emu, master=True)
    file.destroy()
    found = reread(post)
    assert (found.get("cover").id, found.get("cover").url) == (file.id, "")
    assert found.get("files")[0].id == file.id


def test_a_key_is_for_the_master_key(emu: Emulator) -> None:
    file = leancloud.File("a.png", PNG)
    file.key = "own/key.png"
    with pytest.raises(leancloud.LeanCloudError) as refused:
        file.save()
    assert "masterKey" in refused.value.error
    point_sdk_at(emu, master=True)
    file.save()
    wait_until(lambda: reported(emu), "the callback of the SDK")
    assert file.url == f"{emu.api_url}/__files/own/key.png"
    assert content(file.url) == PNG


def test_qcloud(tmp_path: Path) -> None:
    emulator = Emulator(copied("reviews", tmp_path), "--file-provider", "qcloud")
    try:
        point_sdk_at(emulator)
        assert content(uploaded(emulator).url) == PNG
    finally:
        emulator.stop()


def test_hooks_read_files_of_objects_and_users(emu: Emulator) -> None:
    file = uploaded(emu)
    user = leancloud.User()
    user.set_username(fresh_class("bob"))
    user.set_password("secret")
    user.set("avatar", file)
    user.sign_up()
    try:
        emu.forget()
        review = save("Review", movie="Alien", stars=5, comment="x" * 200, still=file)
        assert emu.fired()["beforeSave Review"] == 1
    finally:
        user.logout()
    found = reread(review)
    assert len(found.get("comment")) < 200, "the hook cuts long comments"
    assert found.get("still").url == file.url
