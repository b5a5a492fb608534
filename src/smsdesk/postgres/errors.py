"""What can go wrong with the embedded database, in words for a person."""


class PostgresError(Exception):
    """The embedded database cannot be used. The text says what was wrong, where, and what to do."""
