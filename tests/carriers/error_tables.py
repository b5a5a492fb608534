"""The error tables of the carriers' pages, as a test can hold them against the code."""

import re
from pathlib import Path

from smsdesk.domain.outcome import REASONS

PAGES = Path(__file__).parents[2] / "docs" / "carriers"
REASON_OF = {sentence: reason for reason, sentence in REASONS.items()}


def error_table(kind: str, digits: str, after: str = "## Errors") -> dict[str, str]:
    """Code to reason, out of the first table behind `after` in the page; `digits` is a pattern of its codes."""
    page = (PAGES / f"{kind}.md").read_text(encoding="utf-8")
    rows = page.partition(after)[2].partition("\n\n|")[2].partition("\n\n")[0].splitlines()[2:]
    table = {}
    for row in rows:
        codes, sentence = (cell.strip() for cell in row.strip("|").split("|")[:2])
        for code in re.findall(rf"\b{digits}\b", codes):
            table[code] = REASON_OF[sentence.partition(":")[0]]
    return table
