"""Style sheets, scripts and icons, each at an address that changes with what is in them: browsers keep them."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

FOLDER = Path(__file__).parent / "static"
PREFIX = "/desk/static"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent."""

    content: bytes
    packed: bytes
    media_type: str


@cache
def _files() -> dict[str, File]:
    found: dict[str, File] = {}
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            content = path.read_bytes()
            found[path.relative_to(FOLDER).as_posix()] = File(content, gzip.compress(content, 9, mtime=0), kind)
    return found


@cache
def version() -> str:
    """What all files together are known by: scripts name one another by their place, so that one change moves all."""
    all_of_them = hashlib.sha256()
    for name, file in _files().items():
        all_of_them.update(name.encode() + b"\0" + hashlib.sha256(file.content).digest())
    return all_of_them.hexdigest()[:12]


def static_url(name: str) -> str:
    """The address of a file; raises KeyError for one that is not there, as a template would in a test."""
    _files()[name]
    return f"{PREFIX}/{version()}/{name}"


@get(f"{PREFIX}/{{build:str}}/{{name:path}}", sync_to_thread=False, include_in_schema=False, opt={"public": True})
def read_static(request: Request[Any, Any, Any], build: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """A file. Under another version's address it is sent too, and kept by nobody: a page may be older than we are."""
    file = _files().get(str(name).lstrip("/"))
    if file is None:
        return Response(b"there is no such file", status_code=404, media_type="text/plain")
    headers = {
        "cache-control": "public, max-age=31536000, immutable" if build == version() else "no-store",
        "x-content-type-options": "nosniff",
        "vary": "accept-encoding",
    }
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.packed, media_type=file.media_type, headers={**headers, "content-encoding": "gzip"})
    return Response(file.content, media_type=file.media_type, headers=headers)
