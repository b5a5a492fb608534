"""How a lab is set up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Ids = Literal["hex", "decimal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabConfig:
    """The settings of one lab. Times are seconds; port 0 means any free one."""

    host: str = "127.0.0.1"
    smpp_port: int = 2775
    http_port: int = 8099
    systems: Mapping[str, str] = field(default_factory=dict)
    """system_id to password. Empty: everybody may bind with any password."""
    owners: Mapping[str, str] = field(default_factory=dict)
    """Number (E.164) to the system_id that gets its replies. A number not named here: the system that last sent from
    it if that is bound, or else any."""
    answer_ids: Ids = "hex"
    receipt_ids: Ids = "hex"
    """Carriers are known to write an id in hexadecimal in submit_sm_resp and in decimal in the receipt."""
    keep_texts: int = 1_000_000
    """Texts kept on all handsets together, and receipts and replies that wait for a line."""
    receipt_delay: float = 0.0
    deliver_window: int = 500
    """deliver_sm without an answer on one line at a time."""
    deliver_timeout: float = 30.0
    """After this long without deliver_sm_resp it is sent again, over another line if there is one."""
    deliver_retry: float = 1.0
    """How long a deliver_sm that was refused for now waits."""
    enquire_link_interval: float = 30.0
    """A line silent for this long is asked, and closed when silent for two more (SMPP 3.4 section 7.2)."""
    session_init_timeout: float = 30.0
    """A connection that does not bind in this time is closed (SMPP 3.4 section 7.2)."""
    seed: int | None = None
    """Of chance for the faults; None for another run each time."""
