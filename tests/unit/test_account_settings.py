"""What settings say about accounts, and the file of templates."""

from pathlib import Path

import pytest

from lean_emulator.account_settings import account_options, read_templates
from lean_emulator.base.errors import StartError
from lean_emulator.service.account_options import AccountOptions, SmsTemplate
from lean_emulator.settings import Settings


def test_the_defaults_are_those_of_the_options(tmp_path: Path) -> None:
    assert account_options(Settings(project_dir=tmp_path)) == AccountOptions()


def test_every_option_is_set_by_a_setting(tmp_path: Path) -> None:
    file = tmp_path / "sms.toml"
    file.write_text('[hi]\ntext = "{{code}}"\n')
    turned = account_options(
        Settings(
            project_dir=tmp_path,
            third_party_login=False,
            email_verification=False,
            phone_verification=True,
            login_needs_email=True,
            login_needs_phone=True,
            reset_by_unverified_phone=True,
            password_ends_sessions=False,
            sms_code="1234",
            sms_limits=False,
            sms_templates=str(file),
            captcha=True,
        )
    )
    usual = AccountOptions()
    for name in AccountOptions.__slots__:
        assert getattr(turned, name) != getattr(usual, name), name


@pytest.mark.parametrize("code", ["12", "123456789", "12 34", "abcdef", "１２３４"])
def test_codes_that_are_none(code: str, tmp_path: Path) -> None:
    with pytest.raises(StartError, match="sms_code must be 4 to 8 digits"):
        account_options(Settings(project_dir=tmp_path, sms_code=code))


def test_templates(tmp_path: Path) -> None:
    file = tmp_path / "sms.toml"
    file.write_text('[a]\ntext = "你好 {{code}}"\n[b]\ntext = "x"\napproved = false\n', "utf-8")
    assert read_templates(file) == {
        "a": SmsTemplate("你好 {{code}}"),
        "b": SmsTemplate("x", approved=False),
    }


@pytest.mark.parametrize(
    "content",
    [
        "a = 1",
        "[a]",
        '[a]\ntext = ""',
        "[a]\ntext = 5",
        '[a]\ntext = "x"\napproved = "no"',
        '[a]\ntext = "x"\naproved = true',
        "[a",
        "\udcff",
    ],
)
def test_files_that_are_none(content: str, tmp_path: Path) -> None:
    file = tmp_path / "sms.toml"
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(StartError, match=r"sms_templates: .*sms\.toml"):
        read_templates(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="cannot be read: No such file"):
        read_templates(tmp_path / "sms.toml")
