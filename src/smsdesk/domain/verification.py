"""A one-time code: made, sent, and found again in what the consumer writes."""

import hashlib
import re
import unicodedata
from collections.abc import Callable
from datetime import timedelta

DIGITS = 6
VALID = timedelta(minutes=10)
MOST_TRIES = 5
"""Wrong codes that are read before the code is no good any more: one guess in 200,000 gets through."""

_CODE = re.compile(r"(?<![0-9])[0-9]{3}[ -]?[0-9]{3}(?![0-9])")


def new_code(chance: Callable[[], float]) -> str:
    """Six digits. `chance` must come from a source that nobody can foretell."""
    return "".join(str(int(chance() * 10)) for _ in range(DIGITS))


def find_codes(body: str) -> list[str]:
    """Whatever in a text may be such a code, also as two groups of three."""
    return [re.sub("[ -]", "", found) for found in _CODE.findall(unicodedata.normalize("NFKC", body))]


def digest(tenant_id: int, chat_id: int, code: str) -> bytes:
    """What is kept of a code: it cannot be read back by looking, and fits one chat alone."""
    return hashlib.sha256(f"{tenant_id}/{chat_id}/{code}".encode()).digest()


def code_text(company: str, code: str, lang: str) -> str:
    """What the consumer gets: whose code it is, that it comes back as an answer, and how long it is good."""
    minutes = int(VALID.total_seconds() // 60)
    if lang == "es":
        return f"{company}: su clave es {code}. Responda con ella en {minutes} minutos. No se la diga a nadie."
    return f"{company}: your code is {code}. Reply with it within {minutes} minutes. Tell it to nobody else."
