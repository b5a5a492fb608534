"""What a person sets for an SMPP carrier."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from smsdesk.carriers.smpp.outcomes import read_status
from smsdesk.domain.outcome import REASONS

Octet = Annotated[int, Meta(ge=0, le=255)]
Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(gt=0)]
IdForm = Literal["as_is", "hex", "decimal"]
Alphabet = Literal["gsm", "latin1", "ascii"]
LongTexts = Literal["udh8", "udh16", "sar", "payload"]
Bind = Literal["transceiver", "transmitter", "receiver", "pair"]


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of one carrier; times are in seconds. No password is in a repr.

    ValueError for settings that contradict each other.
    """

    host: str
    port: Port = 2775
    system_id: Annotated[str, Meta(min_length=1)]
    password: str
    system_type: str = ""
    bind: Bind = "transceiver"
    """`pair` is a transmitter and a receiver that together are one line."""
    lines: Annotated[int, Meta(ge=1, le=20)] = 1
    """How many lines are bound at once. Texts are spread over them; receipts and replies come over any."""
    window: Annotated[int, Meta(ge=1, le=10_000)] = 50
    """How many submit_sm may be unanswered on each line; the carrier says how many it allows."""
    segments_per_second: Annotated[int, Meta(ge=0, le=100_000)] = 0
    """The most that each line sends in any second; 0 sets no limit."""

    tls: bool = False
    """The carrier's certificate is always verified."""
    tls_ca_file: str = ""
    """PEM of the authority that signed it; empty: those that this machine trusts."""
    tls_certificate_file: str = ""
    tls_key_file: str = ""
    """PEM of our own certificate and its unencrypted key, where the carrier wants them."""
    tls_server_name: str = ""
    """The name in the carrier's certificate; empty: `host`."""

    connect_timeout: Seconds = 10.0
    session_init_timeout: Seconds = 10.0
    """From the connection to the answer to our bind; from an outbind connection to its outbind."""
    response_timeout: Seconds = 10.0
    """How long an answer is waited for before a part counts as doubtful."""
    enquire_link: Seconds = 30.0
    """After how much silence the line is tested."""
    inactivity_timeout: Annotated[float, Meta(ge=0)] = 0.0
    """After how long without texts and deliveries the line is unbound, until `reconnect_longest` later; 0: never."""
    reconnect_first: Seconds = 0.2
    reconnect_longest: Seconds = 30.0
    throttle_first: Seconds = 1.0
    throttle_longest: Seconds = 30.0
    """How long all lines rest after the carrier said to slow down, at first and at most."""

    long_texts: LongTexts = "udh8"
    """How the parts of a long text are joined: by a user data header with a reference of 8 or 16 bits, by the sar_*
    parameters; or not cut at all, in message_payload."""
    default_alphabet: Alphabet = "gsm"
    """What the octets of `data_coding` mean at this carrier, in both directions."""
    data_coding: Octet = 0
    """The number that the carrier wants beside its default alphabet."""
    ucs2_data_coding: Octet = 8
    gsm7_packed: bool = False
    """Septets are packed, eight in seven octets (3GPP TS 23.038 section 6.1.2.1), in both directions."""
    source_ton: Octet | None = None
    source_npi: Octet | None = None
    dest_ton: Octet | None = None
    dest_npi: Octet | None = None
    """None: by the kind of address, as `addressing` says."""
    service_type: str = ""
    send_validity: bool = True
    """Each part says how long it is worth delivering, in whole seconds."""
    user_message_reference: bool = True
    """Each part carries a number that comes back with its receipt: it settles doubtful texts."""

    response_id: IdForm = "as_is"
    """How submit_sm_resp writes message ids; other than `as_is` they are kept as plain decimal numbers."""
    receipt_id: IdForm = "as_is"
    """How receipts write them. A carrier that answers `04D2` and reports `0000001234` is `hex` and `decimal`."""
    receipt_errors: dict[str, str] = field(default_factory=dict)
    """`err` of a failure to one of our reasons, such as `{"012": landline}`; zeros in front do not count."""
    status_reasons: dict[str, str] = field(default_factory=dict)
    """command_status to one of our reasons, such as `{"0x45": filtered, "1025": opted_out}`."""
    query: bool = True
    """Doubtful texts are asked for with query_sm."""

    outbind_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    """Where we listen for an SMSC that asks us to bind; 0: nowhere."""
    outbind_host: str = "127.0.0.1"
    outbind_system_id: str = ""
    outbind_password: str = ""
    """What the SMSC must say there."""

    def __post_init__(self) -> None:
        if self.gsm7_packed and self.default_alphabet != "gsm":
            raise ValueError("gsm7_packed needs default_alphabet: gsm, for only septets can be packed")
        if bool(self.tls_certificate_file) != bool(self.tls_key_file):
            raise ValueError("tls_certificate_file and tls_key_file need each other: give both or none")
        if not self.tls and (self.tls_ca_file or self.tls_certificate_file or self.tls_server_name):
            raise ValueError("the tls_ settings do nothing without tls: true")
        if self.outbind_port and not (self.outbind_system_id and self.outbind_password):
            raise ValueError("outbind_port needs outbind_system_id and outbind_password, or anybody could be the SMSC")
        if self.outbind_port and self.tls:
            raise ValueError("an outbind comes without TLS: leave out outbind_port or tls")
        for reason in (*self.receipt_errors.values(), *self.status_reasons.values()):
            if reason not in REASONS:
                raise ValueError(f"{reason!r} is no reason: use one of {', '.join(REASONS)}")
        for status in self.status_reasons:
            read_status(status)

    def __repr__(self) -> str:
        return f"Config(host={self.host!r}, port={self.port}, system_id={self.system_id!r})"
