"""What a project's settings say about its accounts, and its file of short message templates.

The file is TOML: a table per template, ``text`` with ``{{variables}}``, and ``approved = false``
for one that the platform would not send yet.
"""

import tomllib
from pathlib import Path

from lean_emulator.base.errors import Hint, StartError
from lean_emulator.service.account_options import AccountOptions, SmsTemplate
from lean_emulator.settings import Settings

_EXAMPLE = Hint(
    'A template looks like this: [welcome] and under it text = "Hi {{name}}, code {{code}}".',
    '模板示例：[welcome]，下一行 text = "{{name}} 您好，验证码 {{code}}"。',
)


def account_options(settings: Settings) -> AccountOptions:
    """The options. Raises ``StartError`` for a fixed code that is none, and for a bad file."""
    code, templates = settings.sms_code, settings.sms_templates
    if code is not None and not (code.isascii() and code.isdigit() and 4 <= len(code) <= 8):
        raise StartError(f"sms_code must be 4 to 8 digits, not {code!r}.")
    return AccountOptions(
        email_verification=settings.email_verification,
        phone_verification=settings.phone_verification,
        login_needs_email=settings.login_needs_email,
        login_needs_phone=settings.login_needs_phone,
        reset_by_unverified_phone=settings.reset_by_unverified_phone,
        third_party_login=settings.third_party_login,
        password_ends_sessions=settings.password_ends_sessions,
        sms_code=code,
        sms_limits=settings.sms_limits,
        sms_templates=None if templates is None else read_templates(Path(templates)),
        captcha=settings.captcha,
    )


def read_templates(path: Path) -> dict[str, SmsTemplate]:
    """The templates of a file by name. Raises ``StartError`` naming the file and what is wrong."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as e:
        raise StartError(f"sms_templates: {path} cannot be read: {e.strerror}.") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise StartError(f"sms_templates: {path} is not valid TOML: {e}") from e
    return {name: _template(path, name, table) for name, table in tables.items()}


def _template(path: Path, name: str, table: object) -> SmsTemplate:
    given = table if isinstance(table, dict) else {}
    text, approved = given.get("text"), given.get("approved", True)
    unknown = given.keys() - {"text", "approved"}
    if not isinstance(text, str) or not text or not isinstance(approved, bool) or unknown:
        raise StartError(
            f"sms_templates: [{name}] in {path} wants `text`, and `approved` if it is not.",
            hint=_EXAMPLE,
        )
    return SmsTemplate(text, approved)
