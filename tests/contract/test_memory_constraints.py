"""The memory storage's constraints, and its limits."""

import pytest

from lean_emulator.base.errors import ApiError
from lean_emulator.storage.memory import MemoryStorage
from lean_emulator.storage.plan import Limits
from tests.contract.constraint_suite import ConstraintSuite
from tests.contract.storage_suite import Make, insert, opened, update
from tests.support.forking import Forking


class TestMemoryConstraints(ConstraintSuite):
    @pytest.fixture
    def make(self) -> Make:
        return lambda: opened(MemoryStorage())


class TestForkConstraints(ConstraintSuite):
    @pytest.fixture
    def make(self) -> Make:
        return lambda: opened(Forking())


async def test_a_class_takes_so_many_columns() -> None:
    async with opened(MemoryStorage(Limits(columns=2))) as storage:
        await storage.commit([insert("p1", a=1, b=2)])
        for change in (insert("p2", c=1), update("p1", {"c": 1}), insert("q", "Q", a=1, b=1, c=1)):
            with pytest.raises(ApiError) as caught:
                await storage.commit([change])
            assert caught.value.code == 154
        assert "Q" not in storage.classes()
        await storage.commit([insert("p2", a=2, b=None), update("p1", {"b": 3})])


async def test_an_application_takes_so_many_classes() -> None:
    async with opened(MemoryStorage(Limits(classes=2))) as storage:
        await storage.commit([insert("a", "A"), insert("b", "B"), insert("u", "_User")])
        with pytest.raises(ApiError) as caught:
            await storage.commit([insert("c", "C")])
        assert caught.value.code == 154
        await storage.drop_class("A")
        with pytest.raises(ApiError):
            await storage.commit([insert("c", "C"), insert("d", "D")])
        await storage.commit([insert("c", "C"), insert("r", "_Role")])
        await storage.commit([insert("b2", "B")])
