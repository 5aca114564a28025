"""Objects have at most 16 MB, bodies 20 (storage.md 2.4)."""

from pathlib import Path

from tests.support.api import running_api

MEGABYTE = 1024 * 1024


async def test_an_object_over_sixteen_megabytes_is_code_116(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        large = {"text": "x" * (17 * MEGABYTE)}
        alone = await api("POST", "/1.1/classes/Post", large)
        assert (alone.status, alone.json["code"]) == (400, 116)
        member = {"method": "POST", "path": "/1.1/classes/Post", "body": large}
        batch = await api("POST", "/1.1/batch", {"requests": [member]})
        assert batch.json[0]["error"]["code"] == 116
        many = [{**member, "body": {"text": "x" * (9 * MEGABYTE)}}] * 2
        both = await api("POST", "/1.1/batch", {"requests": many})
        assert ["success" in said for said in both.json] == [True, True]
        over = await api("POST", "/1.1/classes/Post", {"text": "x" * (21 * MEGABYTE)})
        assert (over.status, over.json["code"]) == (413, 413)
