"""Hooks by all their names."""

import pytest

from lean_emulator.model.hooknames import (
    AFTER_HOOKS,
    BEFORE_HOOKS,
    BY_WORD,
    HookKind,
    parse_ignored,
    understand,
)


def test_six_hooks_three_of_them_before() -> None:
    assert len(HookKind) == len(BY_WORD) == 6
    assert {k.word for k in BEFORE_HOOKS} == {"beforeSave", "beforeUpdate", "beforeDelete"}
    assert {k.word for k in AFTER_HOOKS} == {"afterSave", "afterUpdate", "afterDelete"}


@pytest.mark.parametrize(
    ("kind", "metadata", "path"),
    [
        (HookKind.BEFORE_SAVE, "__before_save_for_Post", "/1.1/functions/Post/beforeSave"),
        (HookKind.AFTER_SAVE, "__after_save_for_Post", "/1.1/functions/Post/afterSave"),
        (HookKind.BEFORE_UPDATE, "__before_update_for_Post", "/1.1/functions/Post/beforeUpdate"),
        (HookKind.AFTER_UPDATE, "__after_update_for_Post", "/1.1/functions/Post/afterUpdate"),
        (HookKind.BEFORE_DELETE, "__before_delete_for_Post", "/1.1/functions/Post/beforeDelete"),
        (HookKind.AFTER_DELETE, "__after_delete_for_Post", "/1.1/functions/Post/afterDelete"),
    ],
)
def test_names_on_the_wire(kind: HookKind, metadata: str, path: str) -> None:
    assert kind.metadata_name("Post") == metadata
    assert kind.path("Post") == path
    understood = understand(metadata)
    assert (understood.class_name, understood.hook) == ("Post", kind)
    assert not understood.is_function


def test_system_classes_and_other_names() -> None:
    assert understand("__before_save_for__User").class_name == "_User"
    for name in ("averageStars", "status.topic", "_messageReceived"):
        assert understand(name).is_function
    for name in ("__on_login__User", "__on_verified_sms", "__on_complete_bigquery_job"):
        found = understand(name)
        assert not found.is_function
        assert found.hook is None


@pytest.mark.parametrize(
    ("raw", "kinds"),
    [
        (["afterSave"], {HookKind.AFTER_SAVE}),
        (
            ["beforeSave", "beforeUpdate", "beforeDelete", "beforeSave"],
            set(BEFORE_HOOKS),
        ),
        (["onLogin", "aftersave", 5, None, ["afterSave"]], set()),
        ([], set()),
        ("afterSave", set()),
        ({"afterSave": True}, set()),
        (None, set()),
        (True, set()),
    ],
)
def test_parse_ignored(raw: object, kinds: set[HookKind]) -> None:
    assert parse_ignored(raw) == kinds
