"""A running server with a tenant, a lab with handsets, and a client: what every journey starts from."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit.demo_setup import Client, client_of, set_up
from tests.kit.lab import Handsets, handsets_of
from tests.kit.processes import serving
from tests.lab.process import LabProcess


@dataclass
class Journey:
    """Both ends of a text."""

    client: Client
    handsets: Handsets
    folder: Path
    database: str


@pytest.fixture(scope="module")
def lab() -> Iterator[LabProcess]:
    """One lab for all journeys of a module, which begin with empty handsets."""
    with LabProcess() as process:
        yield process


@pytest.fixture
async def handsets(lab: LabProcess) -> AsyncIterator[Handsets]:
    """Its handsets."""
    async with handsets_of(lab) as handsets:
        yield handsets


@pytest.fixture
async def journey(database: str, handsets: Handsets, tmp_path: Path) -> AsyncIterator[Journey]:
    """One process that serves all, with the lab as its carrier."""
    token = await set_up(database, tmp_path, handsets.smpp_port)
    async with serving(tmp_path, database=database) as server:
        async with client_of(server.base_url, token) as client:
            yield Journey(client, handsets, tmp_path, database)
        assert await server.stop() == 0, server.errors
        assert '"level": "error"' not in server.errors, server.errors


@pytest.fixture
async def journey_of_two(database: str, handsets: Handsets, tmp_path: Path) -> AsyncIterator[Journey]:
    """The API in one process and the worker in another."""
    token = await set_up(database, tmp_path, handsets.smpp_port)
    async with (
        serving(tmp_path, "api", database) as api,
        serving(tmp_path, "worker", database) as worker,
        client_of(api.base_url, token) as client,
    ):
        yield Journey(client, handsets, tmp_path, database)
        assert await worker.stop() == 0, worker.errors
        assert await api.stop() == 0, api.errors
