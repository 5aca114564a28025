"""The console as a person uses it: Chromium, keyboard and mouse, real events."""

from pathlib import Path

import pytest

from tests.browser.chromium import needs_chromium, page_on
from tests.support.console_demo import demo

LIVE = "html[data-live]"
"""The page listens to the stream of events."""

pytestmark = [needs_chromium, pytest.mark.timeout(60)]


async def test_a_trace_is_read_by_clicking(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(running.url) as page:
        await page.click(".row[data-outcome=rejected]")
        await page.wait_for_selector(".trace-title .outcome[data-outcome=rejected]")
        assert "trace=" in page.url
        assert "No comment provided!" in await page.inner_text(".error-line")
        await page.click(".step[data-outcome=skipped]")
        await page.wait_for_selector(".why")
        assert "not reached" in await page.inner_text(".why")
        await page.reload()
        assert "not reached" in await page.inner_text(".why"), "the address holds the step"
        await page.go_back()
        await page.wait_for_selector(".trace-title .outcome[data-outcome=ok]")


async def test_tabs_follow_from_step_to_step(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(running.url) as page:
        await page.click(".tab[data-tab=input]")
        await page.wait_for_selector(".tab[data-tab=input][aria-current=true]")
        await page.click(".step >> nth=3")
        await page.wait_for_selector(".inspector-head:has-text('afterSave')")
        await page.click(".step >> nth=1")
        await page.wait_for_selector(".inspector-head:has-text('beforeSave')")


async def test_the_keyboard_is_enough(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(running.url) as page:
        await page.keyboard.press("j")
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".trace-title:has-text('averageStars')")
        await page.focus(".step >> nth=0")
        await page.keyboard.press("ArrowLeft")
        assert await page.locator(".step:visible").count() == 1
        await page.keyboard.press("ArrowRight")
        assert await page.locator(".step:visible").count() == 4
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".step:nth-match(.step, 2)[aria-current=true]")
        await page.keyboard.press("?")
        await page.wait_for_selector("#keys[open]")
        await page.keyboard.press("Escape")
        assert not await page.is_visible("#keys")
        await page.keyboard.press("/")
        assert await page.evaluate("document.activeElement.name") == "q"
        await page.keyboard.type("n?gh")
        assert await page.locator("dialog[open]").count() == 0, "letters in a field are letters"
        await page.keyboard.press("Escape")
        await page.keyboard.press("g")
        await page.keyboard.press("h")
        await page.wait_for_url("**/hooks")
        await page.keyboard.press("g")
        await page.keyboard.press("t")
        await page.wait_for_url(f"{running.url}/")


async def test_single_letters_can_be_switched_off(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(running.url) as page:
        await page.keyboard.press("?")
        await page.uncheck("[data-letters]")
        await page.keyboard.press("Escape")
        await page.keyboard.press("n")
        assert await page.locator("dialog[open]").count() == 0
        await page.reload()
        await page.keyboard.press("?")
        assert await page.locator("dialog[open]").count() == 0


async def test_the_filter_works_while_typing_and_by_menu(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(running.url) as page:
        await page.fill("[name=q]", "cached")
        await page.wait_for_function("() => document.querySelectorAll('.row').length === 1")
        assert "q=cached" in page.url
        await page.fill("[name=q]", "")
        await page.wait_for_function("() => document.querySelectorAll('.row').length === 8")
        await page.click("summary:has-text('Outcome')")
        await page.click(".menu-item:has-text('Loop stopped')")
        await page.wait_for_function("() => document.querySelectorAll('.row').length === 1")
        await page.click(".chip-x")
        await page.wait_for_function("() => document.querySelectorAll('.row').length === 8")


async def test_new_traces_come_in_while_following(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(running.url) as page:
        title = await page.inner_text(".trace-title")
        await page.wait_for_selector(LIVE)
        running.story.average()
        await page.wait_for_function("() => document.querySelectorAll('.row').length === 9")
        assert await page.inner_text(".trace-title") == title, "what is being read stays"


async def test_otherwise_they_wait_behind_a_pill(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(f"{running.url}/?follow=0") as page:
        await page.wait_for_selector(LIVE)
        running.story.average()
        running.story.review()
        await page.wait_for_selector(".new-pill:has-text('2 new')")
        assert await page.locator(".row").count() == 8
        await page.click(".new-pill")
        await page.wait_for_function("() => document.querySelectorAll('.row').length === 10")
        assert not await page.is_visible(".new-pill")


async def test_the_open_trace_grows_as_it_runs(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        root = running.log.begin("request", "POST /slow", method="POST", path="/1.1/slow")
        async with page_on(f"{running.url}/?trace={root.name}") as page:
            assert await page.locator(".step").count() == 1
            await page.wait_for_selector(LIVE)
            running.story.wait(5)
            hook = running.log.begin(
                "hook", "beforeSave X", root, hook="beforeSave", class_name="X"
            )
            await page.wait_for_selector(".step:has-text('beforeSave X')")
            running.story.wait(5)
            running.log.end(hook)
            running.log.end(root, "ok", 200)
            await page.wait_for_selector(".trace-title:has-text('200 OK')")


async def test_the_first_trace_replaces_the_empty_page(tmp_path: Path) -> None:
    async with demo(tmp_path, filled=False) as running, page_on(running.url) as page:
        assert "nothing has happened yet" in await page.inner_text("h1")
        await page.wait_for_selector(LIVE)
        running.story.average()
        await page.wait_for_selector(".row")


async def test_a_function_is_run_from_the_drawer(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(f"{running.url}/hooks") as page:
        await page.keyboard.press("n")
        await page.select_option("dialog [name=name]", "averageStars")
        await page.fill("dialog textarea", "{movie: 'A Quiet Place'}")
        await page.keyboard.press("Control+Enter")
        await page.wait_for_selector("dialog .result")
        result = await page.inner_text("dialog .result")
        assert "200 OK" in result
        assert "4.333333333333333" in result
        assert "3 reviews of A Quiet Place" in result
        assert running.workbench.sent[0][1]["params"] == {"movie": "A Quiet Place"}
        await page.click("dialog .result a")
        await page.wait_for_selector(".trace-title:has-text('averageStars')")


async def test_wrong_json5_is_shown_where_it_is_and_not_sent(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(running.url) as page:
        await page.keyboard.press("n")
        await page.fill("dialog textarea", "{\n  stars: 4 comment: 'x'\n}")
        await page.keyboard.press("Control+Enter")
        await page.wait_for_selector("dialog .editor-msg:not([hidden])")
        assert "Line 2, column 12" in await page.inner_text("dialog .editor-msg")
        assert await page.inner_text("dialog .bad-token") == "comment"
        assert await page.evaluate("document.activeElement.selectionStart") == 13
        assert running.workbench.sent == []
        await page.keyboard.type(",")
        assert not await page.is_visible("dialog .editor-msg")
        await page.keyboard.press("Control+Enter")
        await page.wait_for_selector("dialog .result")


async def test_format_keeps_comments_and_can_be_undone(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(f"{running.url}/run") as page:
        await page.click("textarea")
        await page.keyboard.insert_text("{a:[1,{b:'x, {y}'}],// why\nc:{}}")
        await page.click("[data-format]")
        assert await page.input_value("textarea") == (
            "{\n  a: [\n    1,\n    {\n      b: 'x, {y}'\n    }\n  ], // why\n  c: {}\n}"
        )
        await page.keyboard.press("Control+z")
        assert await page.input_value("textarea") == "{a:[1,{b:'x, {y}'}],// why\nc:{}}"


async def test_a_hook_is_run_alone_and_its_error_explained(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(f"{running.url}/hooks") as page:
        await page.click("tr:has-text('beforeSave Review') >> text=Run")
        await page.wait_for_selector("dialog[open] [name=hook]")
        assert await page.input_value("dialog [name=hook]") == "Review/beforeSave"
        assert not await page.is_visible("dialog [name=keys]"), "only update hooks have keys"
        await page.fill("dialog textarea", "{stars: 2}")
        await page.click("dialog button:has-text('Run')")
        await page.wait_for_selector("dialog .result")
        result = await page.inner_text("dialog .result")
        assert "400 Rejected" in result
        assert "before_review_save" in result
        sent = running.workbench.sent[0]
        assert sent[0] == "Review/beforeSave"
        assert sent[1]["chain"] is False
        await page.select_option("dialog [name=hook]", "Post/afterUpdate")
        assert await page.is_visible("dialog [name=keys]")
        await page.keyboard.press("Escape")
        assert await page.locator("dialog[open]").count() == 0


async def test_another_hook_brings_its_sample_and_its_answer_is_explained(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        running.runtime.names = frozenset(
            {"__on_login__User", "_messageReceived", "_clientOnline", "greet"}
        )
        async with page_on(f"{running.url}/hooks") as page:
            await page.click("tr:has-text('_messageReceived') a[data-run]")
            await page.wait_for_selector("dialog[open] [data-event]")
            area, event = "dialog textarea", "dialog [data-event]"
            assert "fromPeer" in await page.input_value(area)
            await page.select_option(event, "/_clientOnline")
            assert "peerId" in await page.input_value(area)
            await page.fill(area, "{mine: 1}")
            await page.select_option(event, "/_messageReceived")
            assert await page.input_value(area) == "{mine: 1}", "what was written stays"
            await page.fill(area, "")
            await page.select_option(event, "_User/onLogin")
            assert await page.input_value(area) == ""
            await page.check("dialog [name=as][value=user]", force=True)
            await page.fill("dialog [name=who]", "mia")
            await page.keyboard.press("Control+Enter")
            await page.wait_for_selector("dialog .result")
            result = await page.inner_text("dialog .result")
            assert "The user is logged in." in result
            assert "'x' means nothing." in result
            assert running.workbench.sent[0][0] == "_User/onLogin"


async def test_history_restores_what_was_sent(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(f"{running.url}/run") as page:
        for text in ("{n: 1}", "{n: 2}"):
            await page.fill("textarea", text)
            await page.keyboard.press("Control+Enter")
            await page.wait_for_selector(f".past[aria-current=true]:has-text('{text}')")
        await page.click(".past >> nth=1")
        await page.wait_for_function("() => document.querySelector('textarea').value === '{n: 1}'")
        assert running.workbench.hold is None


async def test_broken_code_is_seen_and_heals_without_a_reload(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(running.url) as page:
        await page.wait_for_selector(LIVE)
        running.runtime.break_down(str(tmp_path))
        await page.wait_for_selector(".banner")
        await page.click(".banner a")
        await page.wait_for_selector(".broken-hero")
        assert "averageStars = cached(averageStars)" in await page.inner_text(".source")
        await page.wait_for_selector(LIVE)
        running.runtime.heal()
        await page.wait_for_selector("h1:has-text('Hooks and functions')")


async def test_theme_is_switched_and_kept(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(running.url, color_scheme="light") as page:
        ground = "getComputedStyle(document.body).backgroundColor"
        light = await page.evaluate(ground)
        async with page.expect_response("**/preferences"):
            await page.click("[data-theme-switch]")
        await page.wait_for_function("() => document.documentElement.dataset.theme === 'dark'")
        assert await page.evaluate(ground) != light
        await page.reload()
        assert await page.evaluate("document.documentElement.dataset.theme") == "dark"


async def test_chinese_by_the_browser_and_by_the_switch(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(running.url, locale="zh-CN") as page:
        assert "201 已创建" in await page.inner_text(".trace-title")
        await page.keyboard.press("n")
        await page.fill("dialog textarea", "{a: 1 b: 2}")
        await page.keyboard.press("Control+Enter")
        await page.wait_for_selector("dialog .editor-msg:has-text('第 1 行第 7 列')")
        await page.keyboard.press("Escape")
        await page.click("button[name=language]")
        await page.wait_for_selector("html[lang=en]")
        assert "201 Created" in await page.inner_text(".trace-title")


async def test_everything_but_live_works_without_scripts(tmp_path: Path) -> None:
    async with (
        demo(tmp_path) as running,
        page_on(running.url, java_script_enabled=False) as page,
    ):
        assert not await page.locator(".needs-js:visible").count()
        await page.click(".row[data-outcome=loop]")
        assert "Loop stopped" in await page.inner_text(".trace-title")
        await page.click(".tab:has-text('Identity')")
        assert "LeanEngine" not in await page.inner_text(".inspector-body")
        await page.click("summary:has-text('Kind')")
        await page.click(".menu-item:has-text('reload')")
        assert await page.locator(".row").count() == 3
        await page.click(".rail >> text=Run")
        await page.click(".tab:has-text('Class hook')")
        await page.select_option("[name=hook]", "Review/beforeSave")
        await page.fill("textarea", "{stars: 2}")
        await page.click(".drawer-foot button")
        assert "400 Rejected" in await page.inner_text(".result")
        await page.click("text=Open trace")
        assert "beforeSave" in await page.inner_text(".inspector-head")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (640, 450), (820, 600), (1920, 1080)])
async def test_no_page_is_wider_than_its_window(tmp_path: Path, width: int, height: int) -> None:
    async with (
        demo(tmp_path) as running,
        page_on(running.url, width=width, height=height) as page,
    ):
        for path in (
            "/",
            f"/?trace={running.log.traces()[2].name}",
            "/run",
            "/run?tab=hook",
            "/hooks",
            "/logs",
            "/settings",
        ):
            await page.goto(running.url + path)
            too_wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(too_wide) <= 0, path


async def test_on_a_phone_one_pane_at_a_time(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, page_on(running.url, width=390, height=844) as page:
        assert not await page.is_visible(".trace")
        await page.click(".row >> nth=0")
        await page.wait_for_selector(".trace:visible")
        assert not await page.is_visible(".rows")
        await page.click(".back")
        assert await page.is_visible(".rows")


NAMED = {
    "button",
    "link",
    "textbox",
    "combobox",
    "checkbox",
    "radio",
    "searchbox",
    "dialog",
    "navigation",
}


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/", ""),
        ("/run", ""),
        ("/run?tab=hook", ""),
        ("/hooks", ""),
        ("/logs", ""),
        ("/settings", ""),
        ("/", "n"),
        ("/", "?"),
    ],
)
async def test_everything_that_can_be_used_has_a_name(tmp_path: Path, path: str, key: str) -> None:
    async with demo(tmp_path) as running, page_on(running.url + path) as page:
        if key:
            await page.keyboard.press(key)
            await page.wait_for_selector("dialog[open] :focus")
        session = await page.context.new_cdp_session(page)
        tree = await session.send("Accessibility.getFullAXTree")
        nameless = [
            node["role"]["value"]
            for node in tree["nodes"]
            if not node.get("ignored")
            and node["role"]["value"] in NAMED
            and not node.get("name", {}).get("value", "").strip()
        ]
        assert not nameless
        for attribute in ("aria-labelledby", "aria-describedby", "for"):
            for element in await page.query_selector_all(f"[{attribute}]"):
                target = await element.get_attribute(attribute)
                assert await page.query_selector(f'[id="{target}"]'), target
