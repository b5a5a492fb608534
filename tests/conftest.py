"""Fixtures for every test."""

from kit.database import cluster_dsn, database, database_clones

__all__ = ["cluster_dsn", "database", "database_clones"]
