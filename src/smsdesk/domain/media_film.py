"""MP4, QuickTime, 3GP and M4A without notes: boxes of the ISO base media file format (ISO/IEC 14496-12).

The samples of a film are found by their place in the file, so nothing moves: a box that must go becomes a `free` box of
the same size, filled with zeros.
"""

from collections.abc import Iterator

from smsdesk.domain.media import MediaRefused

_CONTAINERS = frozenset(b"moov trak mdia minf stbl edts mvex moof traf mfra dinf".split())
_KEPT = frozenset(
    b"ftyp styp mdat pdin sidx ssix prft mvhd iods tkhd tref elst mdhd hdlr elng vmhd smhd nmhd dref stsd stts "
    b"ctts cslg stss stsh stsc stsz stz2 stco co64 sdtp sbgp sgpd subs saiz saio padb stdp tapt trex mehd mfhd tfhd "
    b"trun tfdt tfra mfro".split()
)
_KEPT_TRACKS = frozenset((b"vide", b"soun", b"tmcd", b"clcp"))
"""Picture, sound, time code and closed captions. Another track, such as `meta` or `text`, may say for each moment where
the camera was, and its samples lie among those of the picture."""
_DEEPEST = 8
_HANDLER_TYPE = 8
"""Where the type stands in `hdlr` (section 8.4.3)."""


def clean_film(content: bytes) -> bytes:
    """The film without its notes: user data, metadata, other people's boxes. Raises MediaRefused where a track of it
    holds neither picture nor sound."""
    out = bytearray(content)
    names = [name for name, _, _ in _boxes(content, 0, len(content))]
    if b"moov" not in names and b"moof" not in names:
        raise ValueError("no film in it")
    _clean(out, content, (0, len(content)), 0)
    return bytes(out)


def _clean(out: bytearray, content: bytes, span: tuple[int, int], depth: int) -> None:
    if depth > _DEEPEST:
        raise ValueError("boxes within boxes without an end")
    for name, start, end in _boxes(content, *span):
        body = _body(content, start)
        if name == b"hdlr":
            _check_track(content, span, body, end)
        if name in _CONTAINERS:
            _clean(out, content, (body, end), depth + 1)
        elif name == b"gmhd":
            _clean_general(out, content, (body, end))
        elif name not in _KEPT:
            out[start + 4 : start + 8] = b"free"
            out[body:end] = bytes(end - body)


def _clean_general(out: bytearray, content: bytes, span: tuple[int, int]) -> None:
    """QuickTime's header of time codes and captions keeps what these need."""
    for name, start, end in _boxes(content, *span):
        if name not in (b"gmin", b"tmcd", b"text"):
            body = _body(content, start)
            out[start + 4 : start + 8] = b"free"
            out[body:end] = bytes(end - body)


def _check_track(content: bytes, span: tuple[int, int], body: int, end: int) -> None:
    """Whether the handler is of a track that may stay; QuickTime has one in `minf` as well, for where data lies."""
    kind = content[body + _HANDLER_TYPE : min(body + _HANDLER_TYPE + 4, end)]
    is_of_media = any(name == b"mdhd" for name, _, _ in _boxes(content, *span))
    if is_of_media and kind not in _KEPT_TRACKS:
        raise MediaRefused("a film with a track of notes, which may say where it was made")


def _boxes(content: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes of a span: name, where each begins and where it ends."""
    while at < end:
        # QuickTime ends some lists of boxes with four zeros.
        if end - at == 4 and content[at:end] == bytes(4):
            return
        size, name = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(content[at + 8 : at + 16])
        elif size == 0:
            size = end - at
        if len(name) < 4 or at + size > end or size < _body(content, at) - at:
            raise ValueError("a box that is cut off")
        yield name, at, at + size
        at += size


def _body(content: bytes, start: int) -> int:
    """Where a box's own content begins: behind a size of 32 or of 64 bits, and a name."""
    return start + (16 if content[start : start + 4] == b"\0\0\0\1" else 8)
