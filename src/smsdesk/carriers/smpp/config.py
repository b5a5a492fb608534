"""What a person sets for an SMPP line."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Octet = Annotated[int, Meta(ge=0, le=255)]
Seconds = Annotated[float, Meta(gt=0)]
IdForm = Literal["as_is", "hex", "decimal"]


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of one line; times are in seconds. The password is in no repr."""

    host: str
    port: Annotated[int, Meta(ge=1, le=65535)] = 2775
    system_id: Annotated[str, Meta(min_length=1)]
    password: str
    system_type: str = ""
    window: Annotated[int, Meta(ge=1, le=10_000)] = 50
    """How many submit_sm may be unanswered; the carrier says how many it allows."""
    connect_timeout: Seconds = 10.0
    response_timeout: Seconds = 10.0
    """How long an answer is waited for before a part counts as doubtful."""
    enquire_link: Seconds = 30.0
    """After how much silence the line is tested."""
    response_id: IdForm = "as_is"
    """How submit_sm_resp writes message ids; other than `as_is` they are kept as plain decimal numbers."""
    receipt_id: IdForm = "as_is"
    """How receipts write them. A carrier that answers `04D2` and reports `0000001234` is `hex` and `decimal`."""
    data_coding: Octet = 0
    """The number that the carrier wants beside GSM-7 septets."""
    source_ton: Octet | None = None
    source_npi: Octet | None = None
    dest_ton: Octet | None = None
    dest_npi: Octet | None = None
    """None: by the kind of address, as `addressing` says."""
    service_type: str = ""
    validity_period: str = ""
    """Empty: the carrier's own; else as SMPP 3.4 section 7.1.1 writes times, such as `000001000000000R`."""
    throttle_first: Seconds = 1.0
    throttle_longest: Seconds = 30.0
    """How long the line rests after the carrier said to slow down, at first and at most."""
    reconnect_first: Seconds = 0.2
    reconnect_longest: Seconds = 30.0

    def __repr__(self) -> str:
        return f"Config(host={self.host!r}, port={self.port}, system_id={self.system_id!r})"
