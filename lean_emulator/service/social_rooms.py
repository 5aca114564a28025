"""Builds the services that reach other users and their devices."""

from lean_emulator.base.clock import Clock
from lean_emulator.base.ids import Ids
from lean_emulator.base.trace import EventLog
from lean_emulator.service.follow import FollowOptions, Follows
from lean_emulator.service.friends import Blocklist, FriendRequests
from lean_emulator.service.inbox import Inbox
from lean_emulator.service.installations import Installations
from lean_emulator.service.objects import Objects
from lean_emulator.service.push import Pushes
from lean_emulator.service.status_inbox import StatusInboxes
from lean_emulator.service.statuses import Statuses
from lean_emulator.storage.contract import Storage


class SocialRooms:
    """What handlers need of followers, friends, statuses, devices and pushes, ready to use."""

    def __init__(
        self,
        storage: Storage,
        objects: Objects,
        inbox: Inbox,
        ids: Ids,
        clock: Clock,
        log: EventLog,
        *,
        follows: FollowOptions,
        client_push: bool,
    ) -> None:
        self.follows = Follows(storage, objects, ids, follows)
        self.friends = FriendRequests(storage, objects, ids, self.follows)
        self.blocklist = Blocklist(storage, objects, ids, self.follows)
        self.statuses = Statuses(objects, StatusInboxes(storage, clock), log)
        self.installations = Installations(storage, objects)
        self.pushes = Pushes(storage, objects, inbox, ids, clock, by_clients=client_push)
