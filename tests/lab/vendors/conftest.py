"""A lab and a vendor's customer for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.lab.vendors.customer import Stage, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as stage:
        yield stage
