"""Which addresses a file may be fetched from: public ones, decided on the address that is connected to.

A name that leads to a private address, a number written in decimal, a redirect, an answer of the name server that
changes between two look-ups: all of them end at a socket, and the socket is what asks here.
"""

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
"""IPv4 addresses in IPv6 (RFC 6052, 2.1; RFC 4291, 2.5.5.1): what they lead to counts."""


class PrivateAddress(OSError):
    """An address that is not public: nothing was connected to."""


def is_public(address: str) -> bool:
    """Whether an address is one of the open internet, and so is any IPv4 address within it."""
    ip = ip_address(address.partition("%")[0])
    inner = _inner(ip) if isinstance(ip, IPv6Address) else None
    if inner is not None and not is_public(str(inner)):
        return False
    is_local = isinstance(ip, IPv6Address) and ip.is_site_local
    mapped = isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None
    return (ip.is_global or mapped) and not ip.is_multicast and not is_local


def _inner(ip: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one leads to: mapped, compatible (RFC 4291, 2.5.5), 6to4 (RFC 3056), Teredo
    (RFC 4380), NAT64."""
    if ip in _NAT64 or ip in _COMPATIBLE:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    teredo = ip.teredo
    return ip.ipv4_mapped or ip.sixtofour or (teredo[1] if teredo else None)


def guarded(seen: Callable[[], None]) -> Callable[[AddressInfo], socket.socket]:
    """Makes sockets for public addresses, and none for others: then it calls `seen` and raises PrivateAddress."""

    def make(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, where = info
        if not is_public(str(where[0])):
            seen()
            raise PrivateAddress("not a public address")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    return make
