"""The bytes of a set-up file as its documents: one for each tenant."""

from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node
from ruamel.yaml.reader import ReaderError

from smsdesk.setup.faults import Fault, Place, SetupError
from smsdesk.setup.values import Findings, Value

LARGEST = 8 * 1024 * 1024
"""Bytes of a file."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file: what stands under its keys."""

    file: str
    root: Value

    @property
    def faults(self) -> list[Fault]:
        """Those of the whole file."""
        return self.root.findings.faults


def read_documents(data: bytes, file: str) -> list[Document]:
    """Cuts a file at its `---` lines. No tag of YAML runs code: nothing is constructed but text.

    Raises SetupError where it is no UTF-8, no YAML, empty or larger than LARGEST.
    """
    if len(data) > LARGEST:
        raise SetupError(file, [Fault(Place(), f"the file has {len(data):,} bytes: at most {LARGEST:,}")])
    try:
        words = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = Place(data.count(b"\n", 0, error.start) + 1, error.start - data.rfind(b"\n", 0, error.start))
        says = f"byte 0x{data[error.start]:02x} is not UTF-8: save the file as UTF-8"
        raise SetupError(file, [Fault(place, says)]) from None
    nodes = [node for node in _compose(words, file) if node.tag != "tag:yaml.org,2002:null"]
    if not nodes:
        raise SetupError(file, [Fault(Place(), "the file is empty: begin with `tenant: SUBDOMAIN`")])
    findings = Findings()
    return [Document(file, Value(node, "", findings)) for node in nodes]


def _compose(words: str, file: str) -> list[Node]:
    try:
        return list(YAML(typ="safe", pure=True).compose_all(words))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place()
        said = " ".join(str(part) for part in (error.context, error.problem) if part)
        fault = Fault(place, f"this is not YAML: {said}")
    except ReaderError as error:
        at = error.position if isinstance(error.position, int) else 0
        place = Place(words.count("\n", 0, at) + 1, at - words.rfind("\n", 0, at))
        fault = Fault(place, "a control character stands here: remove it")
    except RecursionError:
        fault = Fault(Place(), "the file nests too many brackets or levels")
    except (YAMLError, ValueError, OverflowError, LookupError, AssertionError) as error:
        # The scanner lets some errors of Python through, as for a character beyond Unicode.
        fault = Fault(Place(), f"this is not YAML: {(str(error) or repr(error)).splitlines()[0]}")
    raise SetupError(file, [fault])
