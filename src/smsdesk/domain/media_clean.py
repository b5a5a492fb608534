"""Takes out of a file what tells where it was made: EXIF, XMP, GPS and every other note that the picture does not need.

Nothing is encoded again. A format is read piece by piece, and what is not known to be part of the picture, the film or
the sound is left out: a list of what may stay grows old more safely than one of what must go. What cannot be read to
its end is refused, never kept as it is.
"""

from collections.abc import Callable, Mapping

from smsdesk.domain import media
from smsdesk.domain.media import MOST_PIXELS, MediaRefused, MediaType
from smsdesk.domain.media_film import clean_film
from smsdesk.domain.media_pictures import clean_gif, clean_jpeg, clean_png, clean_webp, pixels
from smsdesk.domain.media_sound import clean_mp3, clean_wav

_CLEANERS: Mapping[MediaType, Callable[[bytes], bytes]] = {
    media.JPEG: clean_jpeg,
    media.PNG: clean_png,
    media.GIF: clean_gif,
    media.WEBP: clean_webp,
    media.MP4: clean_film,
    media.THREE_GP: clean_film,
    media.THREE_G2: clean_film,
    media.MOV: clean_film,
    media.M4A: clean_film,
    media.MP3: clean_mp3,
    media.WAV: clean_wav,
}
"""AMR has no room for notes. A PDF, a vCard and a calendar entry are words that somebody wrote for who gets them: they
stay as they are."""


def clean(content: bytes, kind: MediaType) -> bytes:
    """The file without notes. Raises MediaRefused where it is broken, or would take too much room on a screen."""
    if pixels(content, kind) > MOST_PIXELS:
        raise MediaRefused(f"more than {MOST_PIXELS // 1_000_000} million pixels")
    cleaner = _CLEANERS.get(kind)
    if cleaner is None:
        return content
    try:
        return cleaner(content)
    except (IndexError, ValueError) as error:
        if isinstance(error, MediaRefused):
            raise
        raise MediaRefused(f"a broken {kind.suffix.upper()} file: where it was made could not be taken out") from None
