"""Lines to networks: bytes in, values out.

A carrier turns texts into a network's protocol and a network's bytes into outcomes, receipts and replies. It knows the
contract, the shared parts in `carriers/` and `domain` values. It never sees the database, the actions or the API.
"""
