"""Accounts through the official Python SDK: names, addresses, numbers, passwords, sessions."""

import threading
import uuid
from collections.abc import Iterator
from typing import Any

import leancloud
import pytest
import requests
from emu_process import Emulator, copied, point_sdk_at
from secrets_watch import SecretsWatch, shown_by

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def unlimited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("accounts")
    emulator = Emulator(copied("reviews", folder), "--no-sms-limits", "--no-code")
    yield emulator
    emulator.stop()


@pytest.fixture(scope="module", autouse=True)
def watch() -> Iterator[SecretsWatch]:
    """Knows at the end what of the whole run was secret."""
    with SecretsWatch() as noting:
        yield noting


@pytest.fixture(autouse=True)
def emu(unlimited: Emulator) -> Emulator:
    point_sdk_at(unlimited)
    leancloud.User.set_current(None)
    unlimited.admin("DELETE", "inbox")
    return unlimited


def fresh(prefix: str = "u") -> str:
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def fresh_phone() -> str:
    return f"+8613{uuid.uuid4().int % 10**9:09d}"


def signed_up(**fields: Any) -> leancloud.User:
    user = leancloud.User()
    user.set({"username": fresh(), "password": PASSWORD, **fields})
    user.sign_up()
    return user


def logged_in(**fields: str) -> leancloud.User:
    user = leancloud.User()
    user.login(**fields)
    return user


def message(emu: Emulator) -> Any:
    """The newest that was sent."""
    return emu.admin("GET", "inbox")["results"][-1]


def with_verified_phone(emu: Emulator) -> leancloud.User:
    phone = fresh_phone()
    user = signed_up(mobilePhoneNumber=phone)
    leancloud.User.request_mobile_phone_verify(phone)
    leancloud.User.verify_mobile_phone_number(message(emu)["code"], phone)
    return user


def dead(token: str) -> None:
    """Nobody becomes a user by the token; the SDK would send its current user's beside it."""
    leancloud.User.set_current(None)
    refused(211, leancloud.User.become, token)


def refused(code: int, attempt: Any, *args: Any, **more: Any) -> None:
    with pytest.raises(leancloud.LeanCloudError) as refusal:
        attempt(*args, **more)
    assert refusal.value.code == code


def test_signing_up_signs_in() -> None:
    user = signed_up(n=1)
    assert len(user.session_token) == 25
    assert user.id
    assert user.get("emailVerified") is False
    assert user.get("password") is None
    assert leancloud.User.get_current() is user


def test_names_addresses_and_numbers_are_unique() -> None:
    fields = {
        "username": fresh(),
        "email": f"{fresh()}@example.com",
        "mobilePhoneNumber": fresh_phone(),
    }
    signed_up(**fields)
    for (name, value), code in zip(fields.items(), (202, 203, 214), strict=True):
        refused(code, signed_up, **{name: value})


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"username": "  "}, 217),
        ({"password": "  "}, 218),
        ({"email": "none"}, 125),
        ({"mobilePhoneNumber": "12"}, 127),
    ],
)
def test_what_no_user_can_have(fields: dict[str, str], code: int) -> None:
    refused(code, signed_up, **fields)


def test_logging_in_by_name_address_and_number() -> None:
    email, phone = f"{fresh()}@example.com", fresh_phone()
    user = signed_up(email=email, mobilePhoneNumber=phone)
    for found in (
        logged_in(username=user.get_username(), password=PASSWORD),
        logged_in(email=email, password=PASSWORD),
        leancloud.User.login_with_mobile_phone(phone, PASSWORD),
    ):
        assert (found.id, found.session_token) == (user.id, user.session_token)
        assert found.get("email") == email


def test_a_name_wins_over_an_address() -> None:
    user = signed_up()
    found = logged_in(username=user.get_username(), email="no@example.com", password=PASSWORD)
    assert found.id == user.id


def test_wrong_log_ins() -> None:
    user = signed_up()
    refused(210, logged_in, username=user.get_username(), password="wrong")
    refused(211, logged_in, username=fresh(), password=PASSWORD)
    refused(211, logged_in, email="no@example.com", password=PASSWORD)
    refused(213, leancloud.User.login_with_mobile_phone, fresh_phone(), PASSWORD)


def test_guessing_locks_the_user() -> None:
    user = signed_up()
    for _ in range(7):
        refused(210, logged_in, username=user.get_username(), password="wrong")
    refused(219, logged_in, username=user.get_username(), password=PASSWORD)


def test_becoming_a_user() -> None:
    user = signed_up()
    leancloud.User.set_current(None)
    found = leancloud.User.become(user.session_token)
    assert (found.id, found.session_token) == (user.id, user.session_token)
    assert found.is_authenticated()
    dead("0" * 25)


def test_a_deleted_user_is_signed_out() -> None:
    user = signed_up()
    token = user.session_token
    user.destroy()
    dead(token)
    refused(211, logged_in, username=user.get_username(), password=PASSWORD)


def test_only_the_user_changes_itself() -> None:
    user = signed_up()
    user.set("n", 1)
    user.save()
    leancloud.User.set_current(None)
    user.set("n", 2)
    refused(206, user.save)
    signed_up()
    refused(206, user.save)
    refused(206, user.destroy)


def test_private_fields_are_the_users_own(emu: Emulator) -> None:
    email, phone = f"{fresh()}@example.com", fresh_phone()
    user = signed_up(email=email, mobilePhoneNumber=phone)
    assert leancloud.Query("_User").get(user.id).get("email") == email
    signed_up()
    seen = leancloud.Query("_User").get(user.id)
    assert (seen.get("email"), seen.get("mobilePhoneNumber")) == (None, None)
    point_sdk_at(emu, master=True)
    assert leancloud.Query("_User").get(user.id).get("email") == email


def test_a_new_password_by_the_old_one() -> None:
    user = signed_up()
    old = user.session_token
    user.update_password(PASSWORD, "another")
    assert user.session_token != old
    assert leancloud.User.become(user.session_token).id == user.id
    dead(old)
    assert logged_in(username=user.get_username(), password="another").id == user.id
    refused(210, user.update_password, PASSWORD, "third")


def test_a_new_password_by_saving() -> None:
    user = signed_up()
    user.set_password("another")
    user.save()
    assert not user.is_authenticated()
    found = logged_in(username=user.get_username(), password="another")
    assert found.is_authenticated()


def test_a_new_token() -> None:
    user = signed_up()
    old = user.session_token
    user.refresh_session_token()
    assert user.session_token != old
    assert user.is_authenticated()
    dead(old)


def test_two_race_for_a_name(emu: Emulator) -> None:
    name = fresh()
    codes: list[int] = []
    ready = threading.Barrier(4)

    def race() -> None:
        user = leancloud.User()
        ready.wait()
        try:
            user.sign_up(name, PASSWORD)
            codes.append(0)
        except leancloud.LeanCloudError as e:
            codes.append(e.code)

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert sorted(codes) == [0, 202, 202, 202]


def test_verifying_an_address(emu: Emulator) -> None:
    email = f"{fresh()}@example.com"
    user = signed_up(email=email)
    assert message(emu)["to"] == email
    leancloud.User.request_email_verify(email)
    page = requests.get(message(emu)["link"], timeout=10)
    assert page.status_code == 200
    assert email in page.text
    user.fetch()
    assert user.get("emailVerified") is True
    refused(205, leancloud.User.request_email_verify, "no@example.com")


def test_a_forgotten_password_by_mail(emu: Emulator) -> None:
    email = f"{fresh()}@example.com"
    user = signed_up(email=email)
    leancloud.User.request_password_reset(email)
    link = message(emu)["link"]
    assert requests.get(link, timeout=10).status_code == 200
    form = {"password": "another", "again": "another"}
    assert requests.post(link, data=form, timeout=10).status_code == 200
    assert not user.is_authenticated()
    assert logged_in(email=email, password="another").id == user.id
    refused(205, leancloud.User.request_password_reset, "no@example.com")


def test_codes_of_their_own(emu: Emulator) -> None:
    phone = fresh_phone()
    leancloud.cloud.request_sms_code(phone)
    code = message(emu)["code"]
    refused(603, leancloud.cloud.verify_sms_code, phone, "nocode")
    assert leancloud.cloud.verify_sms_code(phone, code) is True
    refused(603, leancloud.cloud.verify_sms_code, phone, code)


def test_templates_and_voices(emu: Emulator) -> None:
    phone = fresh_phone()
    leancloud.cloud.request_sms_code(
        phone.removeprefix("+86"), sms_type="voice", template="pay", sign="Shop", params={"n": 5}
    )
    sent = message(emu)
    assert sent["to"] == phone
    assert sent["detail"] == {"use": "general", "type": "voice", "template": "pay"}


def test_signing_in_by_number(emu: Emulator) -> None:
    phone = fresh_phone()
    leancloud.cloud.request_sms_code(phone)
    user = leancloud.User.signup_or_login_with_mobile_phone(phone, message(emu)["code"])
    assert (user.get_username(), user.get("mobilePhoneVerified")) == (phone, True)
    leancloud.cloud.request_sms_code(phone)
    again = leancloud.User.signup_or_login_with_mobile_phone(phone, message(emu)["code"])
    assert (again.id, again.session_token) == (user.id, user.session_token)
    refused(603, leancloud.User.signup_or_login_with_mobile_phone, phone, "000")


def test_verifying_a_number(emu: Emulator) -> None:
    user = with_verified_phone(emu)
    user.fetch()
    assert user.get("mobilePhoneVerified") is True
    refused(213, leancloud.User.request_mobile_phone_verify, fresh_phone())


def test_a_code_to_log_in_with(emu: Emulator) -> None:
    user = with_verified_phone(emu)
    phone = user.get_mobile_phone_number()
    leancloud.User.request_login_sms_code(phone)
    found = leancloud.User()
    found.set({"mobilePhoneNumber": phone, "smsCode": message(emu)["code"]})
    found.login()
    assert found.id == user.id
    unverified = signed_up(mobilePhoneNumber=fresh_phone()).get_mobile_phone_number()
    refused(215, leancloud.User.request_login_sms_code, unverified)


def test_a_forgotten_password_by_code(emu: Emulator) -> None:
    user = with_verified_phone(emu)
    phone = user.get_mobile_phone_number()
    leancloud.User.request_password_reset_by_sms_code(phone)
    code = message(emu)["code"]
    reset = leancloud.User.reset_password_by_sms_code
    refused(603, reset, "000", "another", phone)
    reset(code, "another", phone)
    refused(603, reset, code, "third", phone)
    assert leancloud.User.login_with_mobile_phone(phone, "another").id == user.id
    refused(213, leancloud.User.request_password_reset_by_sms_code, fresh_phone())


def test_changing_the_number(emu: Emulator) -> None:
    taken = fresh_phone()
    signed_up(mobilePhoneNumber=taken)
    user, phone = signed_up(), fresh_phone()
    refused(214, leancloud.User.request_change_phone_number, taken)
    leancloud.User.request_change_phone_number(phone, ttl=3)
    refused(603, leancloud.User.change_phone_number, "000", phone)
    leancloud.User.change_phone_number(message(emu)["code"], phone)
    user.fetch()
    assert user.get_mobile_phone_number() == phone
    assert user.get("mobilePhoneVerified") is True


def test_captchas_are_off() -> None:
    refused(119, leancloud.cloud.request_captcha)
    refused(119, leancloud.cloud.verify_captcha, "0000", "token")


def test_nothing_secret_is_printed_or_traced(emu: Emulator) -> None:
    emu.forget()
    phone, email = fresh_phone(), f"{fresh()}@example.com"
    user = signed_up(mobilePhoneNumber=phone, email=email, password="first-secret")
    link = message(emu)["link"].rpartition("/")[2]
    leancloud.User.request_mobile_phone_verify(phone)
    codes = [message(emu)["code"]]
    leancloud.User.verify_mobile_phone_number(codes[0], phone)
    tokens = [user.session_token]
    user.update_password("first-secret", "second-secret")
    tokens.append(user.session_token)
    leancloud.User.request_password_reset_by_sms_code(phone)
    codes.append(message(emu)["code"])
    leancloud.User.reset_password_by_sms_code(codes[1], "third-secret", phone)
    refused(210, logged_in, username=user.get_username(), password="fourth-secret")
    requests.get(f"{emu.api_url}/1.1/verifyEmail/{link}", timeout=10)

    secrets = [
        *codes,
        *tokens,
        link,
        *(f"{n}-secret" for n in ("first", "second", "third", "fourth")),
    ]
    shown = {
        "traces": requests.get(f"{emu.api_url}/__emu/traces", headers=emu.master, timeout=10).text,
        "console": requests.get(emu.console_url, timeout=10).text,
        "terminal": emu.output(),
    }
    assert "updatePassword" in shown["traces"]
    assert "updatePassword" in shown["terminal"]
    found = [(where, s) for where, text in shown.items() for s in secrets if s in text]
    assert found == []


def test_nothing_of_the_whole_run_is_shown(emu: Emulator, watch: SecretsWatch) -> None:
    """The last of this file: it looks for what all tests above said, wherever it could show."""
    user = signed_up()
    leancloud.User.become(user.session_token)
    stored = f"{emu.api_url}/1.1/users/{user.id}"
    requests.put(stored, headers=emu.master, json={"password": "of-the-master"}, timeout=10)
    assert {PASSWORD, "of-the-master", user.session_token} <= watch.found
    secrets = watch.found | {emu.keys[name] for name in ("app_key", "master_key", "hook_key")}
    seen = 0
    for where, text in shown_by(emu):
        seen += user.id in text
        assert [secret for secret in secrets if secret in text] == [], where
    assert seen > 3, "what is looked through shows the run at all"
