"""An open database for each test."""

from collections.abc import AsyncIterator

import pytest

from smsdesk.store.db import Database


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    opened = Database(database)
    await opened.open()
    yield opened
    await opened.close()
