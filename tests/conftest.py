"""Fixtures for every test."""

from collections.abc import Iterator

import pytest
import structlog

from tests.kit.api import api
from tests.kit.browser import chromium_browser, floor, floor_database, running
from tests.kit.database import cluster_dsn, database, database_clones
from tests.kit.desk import desk

__all__ = [
    "api", "chromium_browser", "cluster_dsn", "database", "database_clones", "desk", "floor", "floor_database",
    "running",
]  # fmt: skip


@pytest.fixture(autouse=True)
def log_of_its_own() -> Iterator[None]:
    """A command that a test runs in this process sets the log up for its own output, which is closed with the test."""
    yield
    structlog.reset_defaults()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one module that share a floor stay with one worker: the other would build a floor of its own."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
