"""Opt-outs as a CSV file: what an export writes and an import reads, so that one gives back the other."""

import csv
import io
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from smsdesk.domain.phone import NumberProblem, read_number

COLUMNS = ("number", "scope", "scope_of", "at", "source", "words")
"""`number` must be there; the scope is `all`, the time now, the source `file` and the words empty where left out."""
SCOPES = ("number", "brand", "all")
SOURCES = ("text", "api", "agent", "carrier", "file")
LONGEST_WORDS = 2_000


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """An opt-out that stands."""

    number: str
    scope: str
    scope_of: str
    at: datetime
    source: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line of a file that cannot be taken in, by its number from 1, the head's being 1."""

    line: int
    says: str


class WrongLine(Exception):
    """What is wrong with a line, in words."""


def read_lines(
    text: str, now: datetime, regions: frozenset[str]
) -> tuple[list[ConsentLine], list[BadLine]]:  # fmt: skip
    """The opt-outs of a file and its bad lines. A number that stands there twice within one scope counts once."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    good: dict[tuple[str, str, str], ConsentLine] = {}
    bad: list[BadLine] = []
    try:
        head = [name.strip().lower() for name in next(rows, [])]
        if wrong := _wrong_head(head):
            return [], [BadLine(1, wrong)]
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            try:
                line = _read(dict(zip(head, row, strict=False)), len(row) > len(head), now, regions)
                good.setdefault((line.number, line.scope, line.scope_of), line)
            except WrongLine as wrong_line:
                bad.append(BadLine(rows.line_num, str(wrong_line)))
    except csv.Error as error:
        bad.append(BadLine(rows.line_num, f"not CSV: {error}"))
    return list(good.values()), bad


def read_numbers(
    text: str, regions: frozenset[str], columns: Collection[str] = ("number", "outbound_number")
) -> tuple[list[tuple[str, str]], list[BadLine]]:
    """A carrier's own list: each phone with the number of ours that it blocks, empty where it blocks all of them."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    found: list[tuple[str, str]] = []
    bad: list[BadLine] = []
    try:
        head = [name.strip().lower() for name in next(rows, [])]
        if "number" not in head:
            return [], [BadLine(1, f"the first line must name the columns, such as {','.join(columns)}")]
        for row in rows:
            cells = dict(zip(head, row, strict=False))
            if not any(cell.strip() for cell in row):
                continue
            number = read_number(cells.get("number", ""), regions)
            if isinstance(number, NumberProblem):
                bad.append(BadLine(rows.line_num, "number: no phone number that may be texted"))
            else:
                found.append((number, cells.get("outbound_number", "").strip()))
    except csv.Error as error:
        bad.append(BadLine(rows.line_num, f"not CSV: {error}"))
    return list(dict.fromkeys(found)), bad


def write_lines(lines: Iterable[ConsentLine], head: bool = True) -> str:
    """Lines of a file as text, with the names of the columns before them."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\n")
    if head:
        writer.writerow(COLUMNS)
    for line in lines:
        at = line.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        writer.writerow((line.number, line.scope, line.scope_of, at, line.source, line.words))
    return written.getvalue()


def in_chunks(lines: list[ConsentLine], size: int) -> Iterator[list[ConsentLine]]:
    """The lines in lists of at most so many."""
    for start in range(0, len(lines), size):
        yield lines[start : start + size]


def _wrong_head(head: list[str]) -> str | None:
    if "number" not in head:
        return f"the first line must name the columns: {','.join(COLUMNS)}; only number must be there"
    unknown = [name for name in head if name not in COLUMNS]
    if unknown:
        return f'there is no column "{unknown[0]}": the columns are {", ".join(COLUMNS)}'
    return "a column stands there twice" if len(set(head)) < len(head) else None


def _read(cells: dict[str, str], too_long: bool, now: datetime, regions: frozenset[str]) -> ConsentLine:
    if too_long:
        raise WrongLine("more values than columns: put words with a comma into quotation marks")
    number = read_number(cells["number"], regions)
    if isinstance(number, NumberProblem):
        raise WrongLine("number: no phone number that may be texted")
    scope = cells.get("scope", "").strip().lower() or "all"
    scope_of = cells.get("scope_of", "").strip()
    source = cells.get("source", "").strip().lower() or "file"
    words = cells.get("words", "")
    if scope not in SCOPES:
        raise WrongLine(f'scope: "{scope}" is none of {", ".join(SCOPES)}')
    if (scope == "all") != (scope_of == ""):
        raise WrongLine("scope_of: names the number or the brand, and is empty for all")
    if source not in SOURCES:
        raise WrongLine(f'source: "{source}" is none of {", ".join(SOURCES)}')
    if len(words) > LONGEST_WORDS or "\0" in words:
        raise WrongLine(f"words: at most {LONGEST_WORDS} characters, and no NUL")
    return ConsentLine(number, scope, scope_of, _time(cells.get("at", ""), now), source, words)


def _time(written: str, now: datetime) -> datetime:
    if not written.strip():
        return now
    try:
        at = datetime.fromisoformat(written.strip())
    except ValueError:
        raise WrongLine("at: a time such as 2026-03-01T12:00:00Z") from None
    if at.tzinfo is None:
        raise WrongLine("at: a time with its zone, such as 2026-03-01T12:00:00Z")
    if at > now:
        raise WrongLine("at: is in the future")
    return at
