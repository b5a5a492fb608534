"""A lab for each test."""

from collections.abc import AsyncIterator

import pytest

from lab.rig import Rig, running


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with running() as rig:
        yield rig
