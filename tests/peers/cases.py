"""What every pair of peers must get right, one table for all (R47): Kannel and smpplib against our lab, our client
against SMSCs that others wrote. A case says what is sent and what must be seen; each peer's test says how."""

from dataclasses import dataclass

PHONE, NUMBER = "+14155550100", "+16285550199"
"""The handset's number, and the one that texts come from and replies go to."""
SHORT_CODE, NAME = "72975", "Acme Bank"

GSM_ALPHABET = (
    "@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""All of 3GPP TS 23.038 section 6.2.1 but carriage return and escape, which are no characters to a reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOut:
    """A text from the ESME: it must be on the phone as it was written, in so many parts of this encoding."""

    name: str
    body: str
    parts: int = 1
    encoding: str = "gsm7"
    """`gsm7` (data_coding 0), `ucs2` (8), or `binary` (4), whose body is octets in hexadecimal."""
    source: str = NUMBER
    """E.164, a short code, or a name."""
    flash: bool = False
    """Shown at once and not kept: message class 0 (3GPP TS 23.038 section 4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A receipt of the SMSC: the ESME must understand it."""

    name: str
    stat: str
    """As SMPP 3.4 appendix B writes it."""
    err: str
    delivered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The SMSC refuses a text once with this command_status. One that is for now must be tried again and arrive, one
    that is for good must not."""

    name: str
    status: int
    for_now: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TextIn:
    """A text from a phone: the ESME must hand it over as it was typed."""

    name: str
    body: str
    """Hexadecimal where the encoding is `binary`."""
    parts: int = 1
    encoding: str = "gsm7"
    """`gsm7`, `ascii`, `latin1`, `binary` or `ucs2`; `DATA_CODINGS` has their numbers."""
    joined: str = "udh8"
    """How its parts belong together: `udh8`, `udh16`, `sar`, or `payload` for one PDU with message_payload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Something happens to the line; afterwards a text and a reply must pass, each once."""

    name: str
    event: str
    """One of `transceiver`, `transmitter_and_receiver` (the bind), `enquire_link` (from the SMSC), `quiet` (only
    enquire_link passes for a while), `drop` (the connection is reset), `unbind` (by the SMSC), `bind_refused` (once),
    `away` (the reply is typed while no line is up)."""


Case = TextOut | Report | Refusal | TextIn | Line

DATA_CODINGS = {"gsm7": 0, "ascii": 1, "latin1": 3, "binary": 4, "ucs2": 8}
"""SMPP 3.4 section 5.2.19."""

TEXTS_OUT = (
    TextOut(name="one character", body="A"),
    TextOut(name="the whole GSM alphabet", body=GSM_ALPHABET),
    TextOut(name="an at sign, septet 0, at both ends", body="@ home @"),
    TextOut(name="the extension table", body="^{}\\[~]|€"),
    TextOut(name="lines", body="one\ntwo\n\nfour"),
    TextOut(name="160 characters", body="0123456789" * 16),
    TextOut(name="161 characters", body="0123456789" * 16 + "x", parts=2),
    TextOut(name="306 characters", body="abcdefghi " * 30 + "abcdef", parts=2),
    TextOut(name="307 characters", body="abcdefghi " * 30 + "abcdefg", parts=3),
    TextOut(name="80 euro signs, 160 septets", body="€" * 80),
    TextOut(name="an escape pair where the first part ends", body="a" * 152 + "€" + "b" * 60, parts=2),
    TextOut(name="a script of its own", body="Здравствуйте", encoding="ucs2"),
    TextOut(name="70 characters of UCS-2", body="ж" * 70, encoding="ucs2"),
    TextOut(name="71 characters of UCS-2", body="ж" * 71, parts=2, encoding="ucs2"),
    TextOut(name="an emoji, two units", body="Your parcel 🎁", encoding="ucs2"),
    TextOut(name="an emoji where the first part ends", body="ж" * 66 + "🎁" + "ж" * 20, parts=2, encoding="ucs2"),
    TextOut(name="a flash text", body="a flash text", flash=True),
    TextOut(name="octets, sent", body="00 01 fe ff", encoding="binary"),
    TextOut(name="from a name", body="from a name", source=NAME),
    TextOut(name="from a short code", body="from a short code", source=SHORT_CODE),
)

REPORTS = (
    Report(name="delivered", stat="DELIVRD", err="000", delivered=True),
    Report(name="undelivered", stat="UNDELIV", err="012", delivered=False),
    Report(name="expired", stat="EXPIRED", err="003", delivered=False),
    Report(name="rejected", stat="REJECTD", err="005", delivered=False),
)

REFUSALS = (
    Refusal(name="throttled", status=0x58, for_now=True),
    Refusal(name="queue full", status=0x14, for_now=True),
    Refusal(name="bad destination", status=0x0B, for_now=False),
    Refusal(name="submit failed", status=0x45, for_now=False),
)

TEXTS_IN = (
    TextIn(name="a word", body="Yes"),
    TextIn(name="the extension table, typed", body="[yes] {no} ~ 5 €"),
    TextIn(name="US-ASCII", body="plain {ascii}", encoding="ascii"),
    TextIn(name="Latin 1", body="à bientôt", encoding="latin1"),
    TextIn(name="UCS-2", body="日本 да", encoding="ucs2"),
    TextIn(name="an emoji", body="👍🏽", encoding="ucs2"),
    TextIn(name="octets, typed", body="00 01 fe ff", encoding="binary"),
    TextIn(name="long, 8-bit reference", body="a long reply with {braces} and more. " * 9, parts=3),
    TextIn(name="long, 16-bit reference", body="a long reply with {braces} and more. " * 9, parts=3, joined="udh16"),
    TextIn(name="long, SAR parameters", body="a long reply with {braces} and more. " * 9, parts=3, joined="sar"),
    TextIn(name="long, message_payload", body="a long reply with {braces} and more. " * 9, parts=3, joined="payload"),
    TextIn(name="long UCS-2", body="Да, в пятницу. " * 10, parts=3, encoding="ucs2"),
)

LINES = (
    Line(name="one transceiver", event="transceiver"),
    Line(name="a transmitter and a receiver", event="transmitter_and_receiver"),
    Line(name="asked by enquire_link", event="enquire_link"),
    Line(name="nothing but enquire_link for a while", event="quiet"),
    Line(name="reset by the SMSC", event="drop"),
    Line(name="unbound by the SMSC", event="unbind"),
    Line(name="refused once at the bind", event="bind_refused"),
    Line(name="a reply while no line is up", event="away"),
)

CASES: tuple[Case, ...] = (*TEXTS_OUT, *REPORTS, *REFUSALS, *TEXTS_IN, *LINES)
