"""The platform's password hash (storage.md 10.3)."""

from lean_emulator.service.passwords import password_hash


def test_the_published_vector() -> None:
    assert password_hash("h60d8x797d3oa0naxybxxv9bn7xpt2yiowz68mpiwou7gwr2", "password") == (
        "tA7BLW+NK0UeARng0693gCaVnljkglCB9snqlpCSUKjx2RgYp8VZZOQt0S5iUtlDrkJXfT3gknS4rRqjYsd/Ug=="
    )


def test_salt_and_password_both_count() -> None:
    hashes = {password_hash(*pair) for pair in (("a", "b"), ("a", "c"), ("c", "b"), ("", "密码"))}
    assert len(hashes) == 4
    assert all(len(text) == 88 for text in hashes)
