"""What the platform does where nobody could see it: our choice, and the other one (storage.md 12).

Each field is a setting; its default is what most of the evidence speaks for.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How requests are answered where the protocol leaves room."""

    unknown_class_is_empty: bool = False
    """Reading a class that is not there gives nothing, in place of code 101."""
    clients_make_classes: bool = True
    """A client's first write makes a class; otherwise it is code 119."""
    own_object_ids: bool = False
    """The ``objectId`` of a create by the master key is taken, in place of one of ours."""
    refuse_automatic: bool = False
    """Writing ``objectId`` or the two times is code 105, in place of being passed over."""
    absent_delete_fails: bool = False
    """Deleting what is not there is code 1, in place of doing nothing."""
    missing_include_is_null: bool = False
    """An included object that is gone or hidden is ``null``, in place of the bare pointer."""
    unknown_keys_fail: bool = False
    """A condition or order on a column that the class does not have is code 700."""
    large_limit: int = 1_000
    """What a ``limit`` over 1000 counts as."""
    returns_acl: bool = True
    """``returnACL`` is listened to."""
    private_contacts: bool = True
    """``email`` and ``mobilePhoneNumber`` of a user are for that user alone."""


USUAL = Behaviour()
