"""A carrier's price list: a CSV file beside the set-up file, or its lines in it, read whole, with every mistake."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from smsdesk.domain.price import Rates
from smsdesk.setup.faults import WrongValue
from smsdesk.setup.values import Reader, Value, mapping, text

HEADER = ["prefix", "price", "currency"]
LARGEST = 8 * 1024 * 1024
"""Bytes of a price list: the prefixes of all countries and their networks are a tenth of it."""
MOST_MISTAKES = 20
"""That are said of one file: who has more begins with these."""

_PREFIX = re.compile(r"\+?[0-9]{1,15}|")
_PRICE = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_CURRENCY = re.compile(r"[A-Z]{3}")


def rates(folder: Path) -> Reader[Rates]:
    """Reads the price list that a path names, a relative one from `folder`, that of the set-up file; or the one whose
    lines stand under `csv`."""

    def read(value: Value) -> Rates:
        name, content = _inline(value) if value.is_mapping else _named(value, folder)
        found = _PriceList(name)
        try:
            for number, row in _rows(content, name):
                found.add(number, row)
        except csv.Error as error:
            raise WrongValue(f"{name} is not CSV: {error}") from None
        if found.mistakes:
            for mistake in found.mistakes[:-1]:
                value.wrong(mistake)
            raise WrongValue(found.mistakes[-1])
        if not found.prices:
            raise WrongValue(f"{name} holds no price: add a line such as 1,0.0079,USD, or write rates: null")
        return Rates(found.currency, found.prices)

    return read


def _inline(value: Value) -> tuple[str, str]:
    fields, places = mapping(value, {"csv": text(LARGEST, lines=True)})
    if "csv" not in places:
        raise WrongValue("has no `csv`: write {csv: ...} with the lines of the list, or the path of a file")
    return "the list", fields.get("csv", "")


def _named(value: Value, folder: Path) -> tuple[str, str]:
    name = text(4000)(value)
    return name, _content(folder / name, name)


def _content(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise WrongValue(f"{name} has more than {LARGEST:,} bytes: leave out what nobody is sent to")
        return data.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise WrongValue(f"{name} cannot be read ({reason}): a relative path starts from {path.parent}") from None


def _rows(content: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """The rows below the header that are not blank, each with its line in the file."""
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    header = [cell.strip().lower() for cell in next(reader, [])]
    if header != HEADER:
        raise WrongValue(f"{name}:1: the first line must be {','.join(HEADER)}, with commas")
    for row in reader:
        if any(cell.strip() for cell in row):
            yield reader.line_num, [cell.strip() for cell in row]


class _PriceList:
    """The prices that were read so far, and the mistakes."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lines: dict[str, int] = {}
        self.prices: dict[str, Decimal] = {}
        self.currency = ""
        self.mistakes: list[str] = []

    def add(self, line: int, row: Sequence[str]) -> None:
        """Takes a row up, or records what is wrong with it."""
        wrong = self._wrong(row)
        if wrong:
            if len(self.mistakes) < MOST_MISTAKES:
                self.mistakes.append(f"{self._name}:{line}: {wrong}")
            return
        prefix, price, self.currency = row[0].removeprefix("+"), Decimal(row[1]), row[2]
        self._lines[prefix] = line
        self.prices[prefix] = price

    def _wrong(self, row: Sequence[str]) -> str | None:
        if len(row) != len(HEADER):
            return f"has {len(row)} columns: write prefix, price and currency"
        prefix, price, currency = row
        if not _PREFIX.fullmatch(prefix):
            return f'"{prefix[:40]}" is no prefix: write the first digits of the numbers, or nothing for all others'
        if not _PRICE.fullmatch(price):
            return f'"{price[:40]}" is no price of a segment: write a decimal number, such as 0.0079'
        if not _CURRENCY.fullmatch(currency):
            return f'"{currency[:40]}" is no currency: write its three letters, such as USD'
        if self.currency and currency != self.currency:
            return f"is in {currency}, and the lines above in {self.currency}: one file has one currency"
        if first := self._lines.get(prefix.removeprefix("+")):
            return f'the prefix "{prefix}" stands in line {first} already: keep one of them'
        return None
