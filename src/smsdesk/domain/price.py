"""What texts cost: a carrier's price of a segment by the beginning of the phone's number, in exact decimals."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Rates:
    """A carrier's price list."""

    currency: str
    """Three letters, as ISO 4217 has them."""
    prices: Mapping[str, Decimal]
    """For a segment, by the first digits of the number without its plus; '' for all other numbers."""

    def __str__(self) -> str:
        return f"{len(self.prices)} price{'' if len(self.prices) == 1 else 's'} in {self.currency}"


@dataclass(frozen=True, slots=True)
class SegmentPrice:
    """What a carrier asks for one segment to one phone."""

    amount: Decimal
    currency: str

    def of(self, segments: int) -> str:
        """The price of so many segments."""
        return written(self.amount * segments)


def written(amount: Decimal) -> str:
    """The amount as people and programs read it: no exponent, no zeros at its end."""
    return f"{amount.normalize():f}"
