"""The page of a real chain: hooks that did not run, warnings and loops, in both languages."""

from pathlib import Path
from typing import Any

import aiohttp

from tests.support.api import Api
from tests.support.code_client import Ask, Code, or_refuse
from tests.wire.test_chains import running_code


async def agrees(given: dict[str, Any], ask: Ask) -> Any:
    return given["object"]


async def edits(given: dict[str, Any], ask: Ask) -> Any:
    return {**given["object"], "stars": 0}


async def saves_itself(given: dict[str, Any], ask: Ask) -> Any:
    path = f"/1.1/classes/Post/{given['object']['objectId']}"
    return or_refuse(await ask("PUT", path, {"n": {"__op": "Increment"}}), {})


CODE: dict[str, Code] = {
    "Review.beforeSave": agrees,
    "Review.beforeUpdate": edits,
    "Post.afterUpdate": saves_itself,
}


async def page(api: Api, language: str = "en", **params: str) -> str:
    """The console's first page as a browser of that language gets it."""
    await api.settle()
    headers = {"Accept-Language": language, "Accept": "text/html"}
    url = f"{api.emulator.console_url}/"
    async with aiohttp.ClientSession(headers=headers) as http, http.get(url, params=params) as got:
        assert got.status == 200
        return await got.text()


async def test_a_mistyped_class_is_shown_in_the_tree_and_in_the_table(tmp_path: Path) -> None:
    async with running_code(tmp_path, CODE) as api:
        await api("POST", "/1.1/classes/reviews", {"stars": 1})
        text = await page(api)
        assert text.count("not registered for reviews, but for Review") == 2
        assert 'data-step="s-1.beforeSave"' in text
        assert "<th>Why</th>" in text
        assert "没有为 reviews 注册，但为 Review 注册了" in await page(api, "zh")
        why = await page(api, trace="t-1", step="s-1.beforeSave")
        assert 'data-tab="why" aria-current="true"' in why


async def test_the_hook_of_the_other_save_is_explained(tmp_path: Path) -> None:
    async with running_code(tmp_path, {"Review.beforeSave": agrees}) as api:
        review = await api.create("Review", stars=1)
        await api("PUT", f"/1.1/classes/Review/{review}", {"stars": 2})
        name = api.emulator.log.traces()[0].name
        assert "this was an update: those run beforeUpdate" in await page(
            api, trace=name, step=name, tab="hooks"
        )
        assert "仅在创建时触发，而本次是更新" in await page(
            api, "zh", trace=name, step=name, tab="hooks"
        )


async def test_a_warning_stands_in_list_tree_and_step(tmp_path: Path) -> None:
    async with running_code(tmp_path, CODE) as api:
        review = await api.create("Review", stars=1)
        await api("PUT", f"/1.1/classes/Review/{review}", {"stars": 2})
        text = await page(api)
        assert "1 warning" in text
        assert "beforeUpdate changed stars of its object, and that is not stored" in text
        chinese = await page(api, "zh")
        assert "1 个警告" in chinese
        assert "beforeUpdate 修改了对象的 stars" in chinese


async def test_a_loop_shows_its_cycle_and_the_cure(tmp_path: Path) -> None:
    async with running_code(tmp_path, CODE, hook_depth=3) as api:
        post = await api.create("Post", n=0)
        await api("PUT", f"/1.1/classes/Post/{post}", {"n": 1})
        text = await page(api)
        assert "The cycle" in text
        assert text.count("<span>afterUpdate Post</span>") == 2
        assert "disable_after_hook()" in text
        assert "在 hook 中保存该对象之前调用 disable_after_hook()" in await page(api, "zh")


async def test_a_step_tells_who_when_and_what_was_left(tmp_path: Path) -> None:
    async with running_code(tmp_path, CODE) as api:
        await api("POST", "/1.1/classes/Review", {"stars": 1})
        (root,) = api.emulator.log.traces()
        hook = root.children[0].name
        facts = await page(api, trace=root.name, step=hook, tab="identity")
        assert "Left for the chain at its start" in facts
        assert "Left for the chain at its end" in facts
        storage = await page(api, trace=root.name, step=root.children[1].name, tab="identity")
        assert "nobody" in storage
