"""A text that somebody hands to the network, whatever protocol it came over."""

from msgspec import Struct

SMPP = "smpp"
"""`Submission.via` of what came in over the SMPP port."""


class Submission(Struct, frozen=True, gc=False):
    """One text, or over SMPP one part of one."""

    via: str
    """`smpp`, or the HTTP vendor's name."""
    system: str
    """The system_id, or the vendor's account."""
    source: str
    """E.164 with the plus, a short code, or a name."""
    destination: str
    body: str
    encoding: str
    """`gsm7`, `ucs2`, ..., as `domain.gsm` names them."""
    parts: int = 1
    """Segments on the air, as they are paid for."""
    data_coding: int = 0
    media: tuple[str, ...] = ()
    """The addresses of what goes with it."""
