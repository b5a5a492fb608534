"""The help of a field is the docstring below it, where it is declared: one sentence for all that explain it."""

import ast
import inspect
import textwrap
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

_WORDS = {"tls": "TLS", "url": "URL", "id": "ID", "sid": "SID", "ucs2": "UCS-2", "gsm7": "GSM 7-bit", "ca": "CA",
          "ton": "TON", "npi": "NPI", "api": "API", "smsc": "SMSC", "mms": "MMS", "crm": "CRM", "s3": "S3"}  # fmt: skip


@cache
def helps(kind: type) -> Mapping[str, str]:
    """The docstrings of a class's fields, those of the classes that it extends included, each on one line."""
    found: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        if each.__module__.startswith("smsdesk."):
            found |= _own(each)
    return found


def label_of(name: str) -> str:
    """A key as a label, such as `TLS server name`."""
    words = [_WORDS.get(word, word) for word in name.split("_")]
    first = words[0] if words[0] != words[0].lower() else words[0].capitalize()
    return " ".join([first, *words[1:]])


def _own(kind: type) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    found: dict[str, str] = {}
    for field, doc in pairwise(body):
        is_said = isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant) and isinstance(doc.value.value, str)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and is_said:
            found[field.target.id] = " ".join(str(ast.literal_eval(doc.value)).split())  # type: ignore[attr-defined]
    return found
