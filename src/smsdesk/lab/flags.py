"""Settings from the command line: `--fault lose_answer=0.05 --fault hang=true`. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from smsdesk.lab.config import LabConfig
from smsdesk.lab.dialect import Dialect
from smsdesk.lab.faults import Faults
from smsdesk.lab.profiles import choose
from smsdesk.lab.vendors.account import read_accounts

S = TypeVar("S", Faults, Dialect)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The words after the options that can be said several times, and the files."""

    fault: Iterable[str] = ()
    dialect: Iterable[str] = ()
    profile: str = "perfect"
    profile_number: Iterable[str] = ()
    vendor_accounts: Path | None = None
    allow_host: Iterable[str] = field(default=())


def pairs(words: Iterable[str]) -> dict[str, str]:
    """`name=value` by name; the last of a name counts. ValueError for a word without `=`."""
    read = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"{word!r} is not written name=value")
        read[name] = value
    return read


def read_values(kind: type[S], words: Iterable[str]) -> S:
    """`Faults` or `Dialect` from `name=value`. ValueError for a name or a value that it does not have."""
    values = pairs(words)
    names = kind.__struct_fields__
    if unknown := [name for name in values if name not in names]:
        raise ValueError(f"there is no {unknown[0]!r}: choose among {', '.join(names)}")
    return msgspec.convert(values, kind, strict=False)


def configure(flags: Flags, **settings: object) -> LabConfig:
    """The configuration that the flags and the plain settings say. ValueError, for people, where one makes no
    sense."""
    return LabConfig(
        faults=read_values(Faults, flags.fault),
        dialect=read_values(Dialect, flags.dialect),
        profile=choose(flags.profile, pairs(flags.profile_number)),
        vendor_accounts=read_accounts(flags.vendor_accounts) if flags.vendor_accounts else {},
        allow_hosts=tuple(flags.allow_host),
        **settings,  # type: ignore[arg-type]
    )
