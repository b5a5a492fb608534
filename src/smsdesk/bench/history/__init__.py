"""A database filled with a year of chats, and whether the rates feel it (docs/bench.md)."""
