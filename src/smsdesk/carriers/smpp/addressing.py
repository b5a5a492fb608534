"""How numbers are written on the wire (SMPP 3.4 sections 5.2.5 to 5.2.8)."""

from typing import NamedTuple

INTERNATIONAL, NETWORK_SPECIFIC, ALPHANUMERIC = 1, 3, 5
_UNKNOWN_NPI, _E164_NPI = 0, 1
_SHORT_CODE, _SENDER_NAME = 8, 11
"""The most characters of a short code and of an alphanumeric sender (3GPP TS 23.040 section 9.1.2.5)."""


class Address(NamedTuple):
    """An address field with its type of number and numbering plan."""

    ton: int
    npi: int
    digits: str


def write_address(number: str, ton: int | None = None, npi: int | None = None) -> Address:
    """Writes a number: E.164 as 1/1 without its plus, a short code as 3/0, a name as 5/0; a TON or NPI given by the
    carrier wins. ValueError for what is none of them."""
    digits = number.removeprefix("+")
    if not digits.isascii() or not digits.isprintable() or not 0 < len(digits) <= 20:
        raise ValueError("an address has 1 to 20 printable ASCII characters")
    if not digits.isdigit():
        if len(digits) > _SENDER_NAME:
            raise ValueError(f"a sender name has at most {_SENDER_NAME} characters")
        own = (ALPHANUMERIC, _UNKNOWN_NPI)
    elif number.startswith("+") or len(digits) > _SHORT_CODE:
        own = (INTERNATIONAL, _E164_NPI)
    else:
        own = (NETWORK_SPECIFIC, _UNKNOWN_NPI)
    return Address(own[0] if ton is None else ton, own[1] if npi is None else npi, digits)


def read_address(ton: int, digits: str) -> str:
    """Reads a number: with its plus where the carrier says that it is international, or where it is too long to be
    anything else; otherwise as it came."""
    international = ton == INTERNATIONAL or (ton == 0 and len(digits) > 10)
    return f"+{digits}" if international and digits.isdigit() else digits
