"""Builds the services of accounts, which know one another."""

from lean_emulator.base.clock import Clock
from lean_emulator.base.ids import Ids
from lean_emulator.service.account_hooks import AccountHooks
from lean_emulator.service.account_options import AccountOptions
from lean_emulator.service.accounts import Accounts
from lean_emulator.service.captcha import Captchas
from lean_emulator.service.inbox import Inbox
from lean_emulator.service.mail_flows import LinkTo, MailFlows
from lean_emulator.service.objects import Objects
from lean_emulator.service.passwords import Lockout, Passwords
from lean_emulator.service.phone_flows import PhoneFlows
from lean_emulator.service.sessions import Sessions
from lean_emulator.service.short_messages import ShortMessages
from lean_emulator.service.third_party import ThirdParty
from lean_emulator.service.users import Users
from lean_emulator.service.verification import Codes, Links
from lean_emulator.storage.contract import Storage


class AccountRooms:
    """What handlers need of accounts, ready to use."""

    def __init__(
        self,
        storage: Storage,
        objects: Objects,
        ids: Ids,
        clock: Clock,
        inbox: Inbox,
        hooks: AccountHooks,
        options: AccountOptions,
        link_to: LinkTo,
    ) -> None:
        accounts = Accounts(storage, objects, clock)
        passwords, self._lockout = Passwords(ids), Lockout(clock)
        sessions = Sessions(accounts, passwords, self._lockout, ids)
        codes, self._links = Codes(clock, ids, options.sms_code), Links(clock, ids)
        self._messages = ShortMessages(inbox, codes, clock, options)
        self.captchas = Captchas(clock, ids, wanted=options.captcha)
        self.mails = MailFlows(accounts, sessions, self._links, inbox, hooks, options, link_to)
        self.phones = PhoneFlows(accounts, sessions, codes, self._messages, hooks, options)
        self.users = Users(
            accounts,
            objects,
            passwords,
            self._lockout,
            sessions,
            codes,
            self.mails,
            self.phones,
            hooks,
            options,
        )
        self.third_party = ThirdParty(
            storage, objects, self.users, ids, clock, hooks, signs_up=options.third_party_login
        )

    def clear(self) -> None:
        """Forget codes, links, failures and how many messages were sent."""
        self._messages.clear()
        self._links.clear()
        self._lockout.clear()
