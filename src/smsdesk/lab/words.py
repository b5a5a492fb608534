"""Words in a text that ask for a fault or a dialect, for that text alone (of a long text: for the part with the word).

`#lose` and its kind stand in what is submitted, `#shuffle` and its kind in what is typed at a handset. Several words in
one text add up; where two disagree, the later one counts.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from smsdesk.carriers.smpp.status import Status
from smsdesk.lab.verdict import Verdict

Changes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Word:
    """One word. `changes` says what it changes, given what stands after the colon or else `default`."""

    name: str
    help: str
    changes: Callable[[str], Changes]
    argument: str = ""
    """The regular expression of what may follow a colon; empty where nothing may."""
    default: str = ""

    @property
    def example(self) -> str:
        """The word as it is written, with its default after the colon."""
        return f"#{self.name}:{self.default}" if self.argument else f"#{self.name}"


def _always(**changes: Any) -> Callable[[str], Changes]:
    return lambda _: changes


def _seconds(field: str) -> Callable[[str], Changes]:
    return lambda seconds: {field: float(seconds)}


def _speaks(**dialect: Any) -> Callable[[str], Changes]:
    return lambda _: {"dialect": dialect}


def _refused(status: int) -> Changes:
    return {"status": status, "arrives": False, "receipt": False}


_SECONDS = r"\d{1,5}(?:\.\d{1,3})?"
_STATUS = r"0x[0-9a-fA-F]{1,8}|\d{1,9}"

SUBMIT_WORDS = (
    Word("lose", "the handset gets it, the answer never leaves", _always(answer="none")),
    Word("vanish", "nobody gets anything: no handset, no answer, no receipt",
         _always(arrives=False, answer="none", receipt=False)),
    Word("garbage", "the handset gets it, octets that are no PDU leave instead of the answer",
         _always(answer="garbage")),
    Word("half", "the handset gets it, half of the answer leaves and the line is closed",
         _always(answer="half", connection="closes")),
    Word("drop", "the handset gets it, the line is closed instead of an answer",
         _always(answer="none", connection="closes")),
    Word("reset", "the handset gets it, the line is reset instead of an answer",
         _always(answer="none", connection="resets")),
    Word("hang", "nobody gets it, and the line takes octets without an answer from now on",
         _always(arrives=False, answer="none", receipt=False, connection="hangs")),
    Word("refuse", "refused with this command_status", lambda status: _refused(int(status, 0)), _STATUS, "0x08"),
    Word("throttle", "refused with ESME_RTHROTTLED", lambda _: _refused(Status.RTHROTTLED)),
    Word("queuefull", "refused with ESME_RMSGQFUL", lambda _: _refused(Status.RMSGQFUL)),
    Word("slow", "the answer comes after so many seconds", _seconds("answer_delay"), _SECONDS, "2"),
    Word("away", "the phone gets it after so many seconds", _seconds("arrival_delay"), _SECONDS, "2"),
    Word("late", "the receipt comes so many seconds later", _seconds("receipt_delay"), _SECONDS, "2"),
    Word("early", "the receipt comes before the answer", _always(receipt_first=True)),
    Word("twice", "the receipt comes twice", _always(receipt_copies=2)),
    Word("noreceipt", "delivered, and no receipt says so", _always(receipt=False)),
    Word("unknownid", "the receipt names an id that was never given out", _always(unknown_receipt=True)),
    Word("interim", "an intermediate notification comes before the receipt", _always(interim=True)),
    Word("undeliv", "not delivered, stat:UNDELIV with this err",
         lambda err: {"arrives": False, "stat": "UNDELIV", "err": err}, "[0-9a-fA-F]{3}", "001"),
    Word("expired", "not delivered, stat:EXPIRED err:003", _always(arrives=False, stat="EXPIRED", err="003")),
    Word("rejected", "not delivered, stat:REJECTD err:005", _always(arrives=False, stat="REJECTD", err="005")),
    Word("hexid", "the receipt writes the id in hexadecimal", _speaks(receipt_ids="hex")),
    Word("decimalid", "the receipt writes the id in decimal", _speaks(receipt_ids="decimal")),
    Word("paddedid", "the receipt writes the id in decimal, with zeros in front", _speaks(receipt_ids="padded")),
    Word("seconds", "the receipt's dates have seconds", _speaks(dates="seconds")),
    Word("capital", "the receipt says `Text:`", _speaks(text_word="Text")),
    Word("tlvonly", "the receipt has its optional parameters alone", _speaks(receipt_as="tlv")),
    Word("textonly", "the receipt has its words alone", _speaks(receipt_as="text")),
    Word("otherline", "the receipt comes over another line of the system", _speaks(receipt_line="other")),
)  # fmt: skip

REPLY_WORDS = (
    Word("shuffle", "the parts of a long reply come in another order", _always(shuffles=True)),
    Word("losepart", "this part of a long reply never comes", lambda part: {"loses": int(part)}, r"\d{1,3}", "2"),
    Word("twice", "the reply comes twice, with the same ids", _always(copies=2)),
)


def _pattern(words: Iterable[Word]) -> re.Pattern[str]:
    each = (f"{word.name}(?::(?:{word.argument}))?" if word.argument else word.name for word in words)
    return re.compile(f"#({'|'.join(each)})(?![\\w:])")


_SUBMIT, _REPLY = _pattern(SUBMIT_WORDS), _pattern(REPLY_WORDS)
_SUBMIT_BY_NAME, _REPLY_BY_NAME = ({word.name: word for word in words} for words in (SUBMIT_WORDS, REPLY_WORDS))


def _read(pattern: re.Pattern[str], words: Mapping[str, Word], body: str) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for written in pattern.findall(body):
        name, _, argument = written.partition(":")
        word = words[name]
        for field, value in word.changes(argument or word.default).items():
            changes[field] = changes.get(field, {}) | value if field == "dialect" else value
    return changes


def by_text(body: str) -> Verdict | None:
    """The verdict that the words in a submitted text ask for; None without one."""
    changes = _read(_SUBMIT, _SUBMIT_BY_NAME, body)
    return Verdict(**changes) if changes else None


@dataclass(frozen=True, slots=True)
class ReplyFate:
    """How a reply leaves its handset."""

    shuffles: bool = False
    loses: int = 0
    """The number of the part that never leaves; 0 for none."""
    copies: int = 1


def by_reply(body: str) -> ReplyFate | None:
    """What the words in a typed reply ask for; None without one."""
    changes = _read(_REPLY, _REPLY_BY_NAME, body)
    return ReplyFate(**changes) if changes else None
