"""The fourteen hooks of instant messaging: names, sample parameters, what an answer may hold.

Source: engine.md 6.1, 6.2. ``SAMPLES`` are the documentation's where it prints one, else made up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lean_emulator.base.jsontext import Json
from lean_emulator.model.special_hooks import SpecialHook

Kind = Literal["truth", "whole", "text", "flag", "texts", "object", "push"]
"""What a member must be: ``truth`` is anything, ``push`` a text that holds JSON."""

_CONVERSATION = "5789a33a1b8694ad267d8040"
_JOINING: dict[str, Json] = {"initBy": "Tom", "members": ["Jerry"], "convId": _CONVERSATION}


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """What a hook may return.

    ``verdict`` is the member that refuses when it is true; ``told`` goes to the client with a
    refusal, ``replacing`` takes the place of what was sent without one. ``error`` is the number
    that the refused client gets.
    """

    verdict: str | None = None
    error: int | None = None
    told: Mapping[str, Kind] = field(default_factory=dict)
    replacing: Mapping[str, Kind] = field(default_factory=dict)

    @property
    def members(self) -> tuple[str, ...]:
        verdict = () if self.verdict is None else (self.verdict,)
        return (*verdict, *self.told, *self.replacing)


IGNORED = AnswerRule()
"""The answer of a notification."""
_TOLD: Mapping[str, Kind] = {"code": "whole", "detail": "text"}
_MESSAGE: Mapping[str, Kind] = {"bin": "flag", "content": "text", "toPeers": "texts"}
_REJECTING = AnswerRule("reject", 4305, _TOLD)
CLIENT_SIGN = AnswerRule("result", None, {"error": "text"})
"""``result`` is the other way round: true lets the client in."""

RULES: Mapping[str, AnswerRule] = {
    "_messageReceived": AnswerRule("drop", 4402, _TOLD, _MESSAGE),
    "_receiversOffline": AnswerRule(
        "skip",
        None,
        {},
        {"offlinePeers": "texts", "pushMessage": "push", "force": "truth"},
    ),
    "_messageSent": IGNORED,
    "_messageUpdate": AnswerRule("drop", 4405, _TOLD, _MESSAGE),
    "_conversationStart": _REJECTING,
    "_conversationStarted": IGNORED,
    "_conversationAdd": _REJECTING,
    "_conversationAdded": IGNORED,
    "_conversationRemove": _REJECTING,
    "_conversationRemoved": IGNORED,
    "_conversationUpdate": AnswerRule("reject", 4305, _TOLD, {"attr": "object", "mute": "flag"}),
    "_clientOnline": IGNORED,
    "_clientOffline": IGNORED,
    "_rtmClientSign": CLIENT_SIGN,
}

SAMPLES: Mapping[str, dict[str, Json]] = {
    "_messageReceived": {
        "fromPeer": "Tom",
        "receipt": False,
        "groupId": None,
        "system": None,
        "content": '{"_lctext":"hello","_lctype":-1}',
        "convId": _CONVERSATION,
        "toPeers": ["Jerry"],
        "bin": False,
        "transient": False,
        "sourceIP": "121.239.62.103",
        "timestamp": 1472200796764,
    },
    "_receiversOffline": {
        "fromPeer": "Tom",
        "convId": _CONVERSATION,
        "offlinePeers": ["Jerry"],
        "content": '{"_lctext":"hello","_lctype":-1}',
        "timestamp": 1472200796764,
        "mentionAll": False,
        "mentionOfflinePeers": [],
    },
    "_messageSent": {
        "fromPeer": "Tom",
        "receipt": False,
        "onlinePeers": [],
        "content": "12345678",
        "convId": _CONVERSATION,
        "msgId": "fptKnuYYQMGdiSt_Zs7zDA",
        "bin": False,
        "transient": False,
        "system": None,
        "sourceIP": "114.219.127.186",
        "offlinePeers": ["Jerry"],
        "timestamp": 1472703266522,
    },
    "_messageUpdate": {
        "fromPeer": "Tom",
        "convId": _CONVERSATION,
        "toPeers": ["Jerry"],
        "bin": False,
        "content": '{"_lctext":"hello again","_lctype":-1}',
        "timestamp": 1472703266522,
        "msgId": "fptKnuYYQMGdiSt_Zs7zDA",
        "sourceIP": "114.219.127.186",
        "recall": False,
        "system": None,
    },
    "_conversationStart": {
        "initBy": "Tom",
        "members": ["Tom", "Jerry"],
        "attr": {"name": "Tom & Jerry"},
    },
    "_conversationStarted": {"convId": _CONVERSATION},
    "_conversationAdd": _JOINING,
    "_conversationAdded": _JOINING,
    "_conversationRemove": _JOINING,
    "_conversationRemoved": _JOINING,
    "_conversationUpdate": {
        "initBy": "Tom",
        "convId": _CONVERSATION,
        "attr": {"name": "Tom & Jerry & Spike"},
    },
    "_clientOnline": {
        "peerId": "Tom",
        "sourceIP": "127.0.0.1",
        "tag": "default",
        "reconnect": 0,
    },
    "_clientOffline": {
        "peerId": "Tom",
        "closeCode": 1,
        "closeMsg": "",
        "sourceIP": "127.0.0.1",
        "tag": "default",
        "errorCode": None,
        "errorMsg": None,
    },
    "_rtmClientSign": {
        "objectId": "5789a33a1b8694ad267d8041",
        "username": "Tom",
        "email": "tom@example.com",
        "mobilePhoneNumber": "+8613800000000",
        "sessionToken": "q1w2e3r4t5y6u7i8o9p0a1s2d",
        "emailVerified": False,
        "mobilePhoneVerified": False,
        "createdAt": "2016-08-26T08:39:56.764Z",
        "updatedAt": "2016-08-26T08:39:56.764Z",
    },
}

IM_HOOKS: Mapping[str, SpecialHook] = {
    name: SpecialHook("message", name, None, name, f"/1.1/functions/{name}", rule is not IGNORED)
    for name, rule in RULES.items()
}
