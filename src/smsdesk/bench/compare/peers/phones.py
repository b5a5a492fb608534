"""The consumers of a comparison: the n-th request goes to the n-th phone, whoever is asked."""

from functools import cache

from smsdesk.domain.phone import read_number


@cache
def _areas() -> tuple[int, ...]:
    return tuple(area for area in range(200, 800) if area // 100 != 5 and _is_us(f"+1{area}5550100"))


def phone(n: int) -> str:
    """The n-th phone, the same as that of the n-th of `SendRequests`."""
    areas = _areas()
    return f"+1{areas[n // 10_000 % len(areas)]}555{n % 10_000:04d}"


def _is_us(number: str) -> bool:
    return isinstance(read_number(number), str)
