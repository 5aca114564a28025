"""Links that were mailed, followed in Chromium: the console's inbox, then our own pages."""

from pathlib import Path

import pytest

from tests.browser.chromium import needs_chromium, page_on
from tests.support.accounts import ANN, EMAIL, signed_up
from tests.support.api import running_api

pytestmark = [needs_chromium, pytest.mark.timeout(60)]


async def test_a_password_is_reset_from_the_inbox(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await signed_up(api, ANN)
        await api("POST", "/1.1/requestPasswordReset", {"email": EMAIL})
        async with page_on(f"{api.emulator.console_url}/") as page:
            await page.keyboard.press("g")
            await page.keyboard.press("i")
            await page.wait_for_selector(".message")
            assert (await page.inner_text(".rail .count[data-new]")).split() == ["1", "new"]
            await page.click(".row")
            await page.wait_for_url("**/inbox?message=*")
            assert await page.locator(".rail .count[data-new]").count() == 0
            async with page.expect_popup() as opened:
                await page.click("text=Follow the link")
            form = await opened.value
            await form.fill("[name=password]", "another")
            await form.fill("[name=again]", "other")
            await form.click("button")
            await form.wait_for_selector("[role=alert]")
            await form.fill("[name=password]", "another")
            await form.fill("[name=again]", "another")
            await form.click("button")
            await form.wait_for_selector("h1:has-text('The password is set')")
        login = await api("POST", "/1.1/login", {"username": "ann", "password": "another"})
        assert login.status == 200


async def test_new_messages_come_by_themselves(tmp_path: Path) -> None:
    async with (
        running_api(project=tmp_path) as api,
        page_on(f"{api.emulator.console_url}/inbox") as page,
    ):
        await page.wait_for_selector("html[data-live]")
        await api("POST", "/1.1/requestSmsCode", {"mobilePhoneNumber": "+8613800000000"})
        await page.wait_for_selector(".row:has-text('+8613800000000')")
        assert await page.locator("main.is-panes").count() == 1
        assert await page.inner_text(".message .code") == api.emulator.inbox.messages()[0].code


async def test_the_page_for_a_new_password_fits_a_phone(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        await signed_up(api, ANN)
        await api("POST", "/1.1/requestPasswordReset", {"email": EMAIL})
        link = api.emulator.inbox.messages()[0].link
        assert link is not None
        async with page_on(link, width=320, height=560) as page:
            assert await page.evaluate("document.documentElement.scrollWidth") <= 320
            # the style of the page is let through by its own policy
            padding = "getComputedStyle(document.querySelector('input[type=password]')).paddingTop"
            assert await page.evaluate(padding) == "8px"
            assert await page.evaluate("document.activeElement.name") == "password"
