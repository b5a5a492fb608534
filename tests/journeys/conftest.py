"""A running server with a tenant, a lab with handsets, and a client: what every journey starts from."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.kit.demo_setup import Client, client_of, set_up
from tests.kit.lab import Handsets, running_lab
from tests.kit.processes import serving


@dataclass
class Journey:
    """Both ends of a text."""

    client: Client
    handsets: Handsets
    folder: Path
    database: str


@pytest.fixture
async def journey(database: str, tmp_path: Path) -> AsyncIterator[Journey]:
    """One process that serves all, and the lab as its carrier."""
    async with running_lab() as handsets, serving(tmp_path, database=database) as server:
        token = await set_up(tmp_path, handsets.smpp_port, database)
        async with client_of(server.base_url, token) as client:
            yield Journey(client, handsets, tmp_path, database)
        assert await server.stop() == 0, server.errors
        assert '"error"' not in server.errors, server.errors


@pytest.fixture
async def journey_of_two(database: str, tmp_path: Path) -> AsyncIterator[Journey]:
    """The API in one process and the worker in another."""
    async with (
        running_lab() as handsets,
        serving(tmp_path, "api", database) as api,
        serving(tmp_path, "worker", database) as worker,
    ):
        token = await set_up(tmp_path, handsets.smpp_port, database)
        async with client_of(api.base_url, token) as client:
            yield Journey(client, handsets, tmp_path, database)
        assert await api.stop() == 0, api.errors
        assert await worker.stop() == 0, worker.errors
