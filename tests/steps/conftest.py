"""Fixtures of the tests of steps."""

from collections.abc import AsyncIterator

import pytest

from tests.steps.desk import Desk
from tests.store.outbox import opened


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    """A contact center of one queue that a consumer may write to."""
    db = await opened(database)
    desk = Desk(db)
    await desk.begin()
    yield desk
    await db.close()
