"""How a lab is set up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smsdesk.lab.dialect import STANDARD, Dialect
from smsdesk.lab.faults import NO_FAULTS, Faults
from smsdesk.lab.profiles import ChosenProfile, choose


@dataclass(frozen=True, slots=True, kw_only=True)
class LabConfig:
    """The settings of one lab. Times are seconds; port 0 means any free one."""

    host: str = "127.0.0.1"
    smpp_port: int = 2775
    smpp_tls_port: int | None = None
    """SMPP over TLS, with a certificate that the lab makes when it starts; None for no such port."""
    http_port: int = 8099
    systems: Mapping[str, str] = field(default_factory=dict)
    """system_id to password. Empty: everybody may bind with any password."""
    owners: Mapping[str, str] = field(default_factory=dict)
    """Number (E.164) to the system_id that gets its replies. A number not named here: the system that last sent from
    it if that is bound, or else any."""
    dialect: Dialect = STANDARD
    profile: ChosenProfile = field(default_factory=lambda: choose("perfect", {}))
    faults: Faults = NO_FAULTS
    """Those that are on from the start."""
    vendor_accounts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """HTTP vendor to its account's settings, such as `{"twilio": {"auth_token": "..."}}`; docs/lab.md lists them."""
    callback_pace: float = 0.01
    """Waits before a callback is repeated, as a share of what the vendor documents."""
    allow_hosts: tuple[str, ...] = ()
    """Hosts beside this machine's own addresses that callbacks and outbinds may go to."""
    keep_texts: int = 1_000_000
    """Texts kept on all handsets together, segments in the log, texts on their way (more get ESME_RMSGQFUL), and
    receipts and replies that wait for a line."""
    binds_per_system: int = 0
    """Lines that one system may have bound; 0 for any number."""
    submit_window: int = 0
    """submit_sm without an answer on one line, those above get ESME_RTHROTTLED; 0 for any number."""
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
