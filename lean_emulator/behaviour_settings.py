"""The settings for what nobody knows of the platform, as services take them."""

from lean_emulator.model.behaviour import Behaviour
from lean_emulator.model.where_json import DEFAULT_LIMIT, MAX_LIMIT
from lean_emulator.settings import Settings


def behaviour(settings: Settings) -> Behaviour:
    """How requests are answered where the protocol leaves room."""
    return Behaviour(
        unknown_class_is_empty=settings.unknown_class == "empty",
        clients_make_classes=settings.client_classes,
        own_object_ids=settings.own_object_ids,
        refuse_automatic=settings.automatic_fields == "refuse",
        absent_delete_fails=settings.absent_delete == "error",
        missing_include_is_null=settings.missing_include == "null",
        unknown_keys_fail=settings.unknown_keys == "error",
        large_limit=MAX_LIMIT if settings.large_limit == "most" else DEFAULT_LIMIT,
        returns_acl=settings.return_acl,
        private_contacts=settings.private_contacts,
    )
