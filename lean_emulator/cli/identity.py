"""On whose behalf a command asks: headers for the master key, a user, or both."""

import click

from lean_emulator.cli.admin_client import AdminClient, Unreachable
from lean_emulator.keys import Keys


def credentials(api_url: str, keys: Keys, user: str | None, *, master: bool) -> dict[str, str]:
    """Headers of a request; ``user`` is an objectId, a username or a session token.

    Raises a usage error for a user that is not there.
    """
    key = f"{keys.master_key},master" if master else keys.app_key
    headers = {"X-LC-Id": keys.app_id, "X-LC-Key": key}
    if user is None:
        return headers
    try:
        token = AdminClient(api_url, keys).session_of(user)
    except Unreachable as e:
        raise click.ClickException(str(e)) from e
    if token is None:
        raise no_such_user(user)
    return {**headers, "X-LC-Session": token}


def no_such_user(user: str) -> click.BadParameter:
    return click.BadParameter(
        f"there is no user {user!r}: give an objectId, a username or a session token",
        param_hint="--user",
    )
