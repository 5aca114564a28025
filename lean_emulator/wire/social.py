"""All routes that reach other users and their devices."""

from lean_emulator.base.clock import Clock
from lean_emulator.service.social_rooms import SocialRooms
from lean_emulator.wire.follow import FollowHandlers, FriendHandlers
from lean_emulator.wire.installations import InstallationHandlers
from lean_emulator.wire.objects import ObjectHandlers
from lean_emulator.wire.push import PushHandlers
from lean_emulator.wire.routes import Route
from lean_emulator.wire.statuses import StatusHandlers


def social_routes(
    rooms: SocialRooms, objects: ObjectHandlers, clock: Clock, app_id: str
) -> list[Route]:
    """They come before those of all users and all classes, whose patterns match them too."""
    return [
        *FollowHandlers(rooms.follows, objects).routes(),
        *FriendHandlers(rooms.friends, rooms.blocklist, objects).routes(),
        *StatusHandlers(rooms.statuses, objects).routes(),
        *InstallationHandlers(rooms.installations, objects).routes(),
        *PushHandlers(rooms.pushes, clock, app_id).routes(),
    ]
