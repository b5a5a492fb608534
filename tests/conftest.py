"""Fixtures for every test."""

from tests.kit.api import api
from tests.kit.database import cluster_dsn, database, database_clones

__all__ = ["api", "cluster_dsn", "database", "database_clones"]
