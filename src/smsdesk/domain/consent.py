"""The words that stop, start and explain, and what we answer to them.

The words are the union of what carriers, vendors and the FCC name (47 CFR 64.1200(a)(10): stop, quit, end, revoke,
opt out, cancel, unsubscribe); a message is a command only as a whole.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum

from smsdesk.domain.segments import segment

STOP_WORDS = frozenset({
    "STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "OPT OUT", "REMOVE",
})  # fmt: skip
"""OPT-OUT is OPT OUT: a hyphen between words counts as a space."""
START_WORDS = frozenset({"START", "UNSTOP"})
AGREEING_WORDS = frozenset({"YES"})
"""These start only what was stopped: of anybody else they are an answer to a person's question."""
HELP_WORDS = frozenset({"HELP", "INFO"})


@dataclass(frozen=True, slots=True)
class Scope:
    """Which numbers of ours a revocation covers."""

    kind: str = "all"
    """`number`, `brand` or `all`."""
    of: str = ""
    """The number or the brand; empty for all."""
    rule: str | None = None
    """The tenant's rule that said so; None where a person did."""


_ASKS_FOR_YES = re.compile(
    r"\?|\b(?:reply|respond|answer|text|send|type|press)\b.{0,20}\b(?:y|yes|ok|confirm)\b|\bconfirm\b"
    r"|\b(?:responda|conteste|envie|env[ií]e|escriba)\b.{0,20}\bs[ií]\b|\bconfirm[ea]\b",
    re.IGNORECASE | re.DOTALL,
)
_NOT_IN_WORDS = re.compile(r"[\W_]+")


class Words(Enum):
    """What a message asks for when it is a command."""

    STOP = "stop"
    START = "start"
    HELP = "help"


def read_words(body: str, opted_out: bool) -> Words | None:
    """The command that the whole message is, or None.

    Case and width of letters do not count, nor do spaces, punctuation, quotes and emoji around and between the
    words: phones add a full stop, a quotation mark or a signature's dash by themselves, and a person who types `Stop!`
    has asked to be left alone. What no screen shows (zero-width spaces, soft hyphens) is not there. Another word beside
    it makes it a sentence, which a person reads.
    """
    shown = "".join(character for character in body if unicodedata.category(character) != "Cf")
    text = _NOT_IN_WORDS.sub(" ", unicodedata.normalize("NFKC", shown)).strip().upper()
    if text in STOP_WORDS:
        return Words.STOP
    if text in START_WORDS or (opted_out and text in AGREEING_WORDS):
        return Words.START
    return Words.HELP if text in HELP_WORDS else None


def expects_yes(body: str) -> bool:
    """Whether a YES may be an answer to this text of ours: it asks something, or names YES as a reply. Then it is no
    wish to be texted again."""
    return _ASKS_FOR_YES.search(body) is not None


def stop_confirmation(company: str, lang: str = "en") -> str:
    """Who will not text any more, and how to come back (47 CFR 64.1200(a)(12): no marketing, no persuasion)."""
    if lang == "es":
        return _one_part("{}: Baja confirmada. Ya no le enviamos mensajes. Para volver, responda START.", company)
    return _one_part("{}: You are opted out and will get no more messages. Reply START to opt back in.", company)


def start_confirmation(company: str, lang: str = "en") -> str:
    """Who will text again, that it recurs and may cost, and how to stop (CTIA principles 5.1)."""
    if lang == "es":
        return _one_part("{}: Alta confirmada. Recibe mensajes recurrentes; su operador puede cobrar tarifas. "
                         "Responda HELP para ayuda, STOP para la baja.", company)  # fmt: skip
    return _one_part(
        "{}: You are opted in to recurring messages. Msg & data rates may apply. Reply HELP for help, STOP to opt out.",
        company,
    )


def help_answer(company: str, lang: str = "en") -> str:
    """Who this is, that a person answers, and how to stop."""
    if lang == "es":
        return _one_part("{}: Responda con su pregunta y una persona le contesta. Su operador puede cobrar tarifas. "
                         "Responda STOP para la baja.", company)  # fmt: skip
    return _one_part("{}: Reply with your question and a person will answer. Msg & data rates may apply. "
                     "Reply STOP to opt out.", company)  # fmt: skip


def _one_part(sentence: str, company: str) -> str:
    """The sentence with the name; a name too long for one part is shortened, for the sentence is what the law wants."""
    name = company
    while len(segment(text := sentence.format(name)).parts) > 1 and name:
        name = name[:-1].rstrip()
    return text
