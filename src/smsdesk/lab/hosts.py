"""To which machines the lab connects when it is asked to: its own, and those that it was started with."""

from collections.abc import Collection
from ipaddress import ip_address


def is_allowed(host: str, allowed: Collection[str]) -> bool:
    """Whether `host` is a loopback address, `localhost`, or one of `allowed`."""
    if host == "localhost" or host in allowed:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
