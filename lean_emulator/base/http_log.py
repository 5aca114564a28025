"""What the HTTP servers may put into the log."""

import logging

from aiohttp.http_exceptions import HttpProcessingError


def http_log() -> logging.Logger:
    """A log for an aiohttp server, without what clients do wrong.

    A request that is no HTTP is answered with 400, and one that breaks off needs no answer. Neither
    is a fault of ours, so neither must end up in the terminal as a traceback.
    """
    log = logging.getLogger("lean_emulator.http")
    log.addFilter(_is_our_fault)
    return log


def _is_our_fault(record: logging.LogRecord) -> bool:
    if not isinstance(record.exc_info, tuple):
        return True
    return not isinstance(record.exc_info[1], HttpProcessingError | ConnectionResetError)
