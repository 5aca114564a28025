"""What the platform's dashboard lets an application choose about its accounts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

WEEK_SECONDS = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class SmsTemplate:
    """A text with ``{{variables}}``; one that is not approved cannot be sent (code 605)."""

    text: str
    approved: bool = True


@dataclass(frozen=True, slots=True)
class AccountOptions:
    """Switches of the application, with the platform's usual position as default."""

    email_verification: bool = True
    """A new address gets a mail with a link; without it asking for one is code 119."""
    phone_verification: bool = False
    """A new number gets a message with a code on its own."""
    login_needs_email: bool = False
    """Who has an address that is not verified cannot log in (code 216)."""
    login_needs_phone: bool = False
    """Nobody logs in by a number that is not verified (code 215)."""
    reset_by_unverified_phone: bool = False
    """Passwords can be reset by a number that is not verified; else that is code 215."""
    third_party_login: bool = True
    """authData of nobody makes a user; otherwise that is code 207."""
    password_ends_sessions: bool = True
    """A new password makes a new session token."""
    sms_code: str | None = None
    """A code that every phone number accepts, and that every message has."""
    sms_limits: bool = True
    """Hold messages to one in a minute and ten in a day for a number (code 601)."""
    sms_templates: Mapping[str, SmsTemplate] | None = field(default=None)
    """Templates by name; ``None`` takes any name and sends the usual text."""
    captcha: bool = False
    """Messages want the token of a solved captcha (code 608)."""
