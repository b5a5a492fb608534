"""MP3 and WAV without notes. Each raises ValueError or IndexError for what is broken."""

from smsdesk.domain.media_pictures import riff_chunk, riff_chunks

# Layer III in kbit/s, and samples a second, by version (ISO/IEC 11172-3, 2.4.2.3; ISO/IEC 13818-3, 2.4.2.3).
_RATES = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_LAYER_III = 1
_WAV_KEPT = (b"fmt ", b"fact", b"data")


def clean_mp3(content: bytes) -> bytes:
    """The frames of sound; what stands before, between and behind them goes (ID3v2, ID3v1, APEv2)."""
    out, at = [], _after_notes(content)
    while 0 <= at < len(content) - 3:
        length = _frame(content, at)
        if length and at + length <= len(content):
            out.append(content[at : at + length])
            at += length
        else:
            at = content.find(b"\xff", at + 1)
    if not out:
        raise ValueError("no sound in it")
    return b"".join(out)


def _after_notes(content: bytes) -> int:
    """Where the notes at the beginning end (id3.org, ID3v2.4, 3.1 and 6.2): their length is four times seven bits."""
    at = 0
    while content[at : at + 3] == b"ID3":
        size = content[at + 6 : at + 10]
        footer = 10 if content[at + 5] & 0x10 else 0
        at += 10 + footer + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])
    return at


def _frame(content: bytes, at: int) -> int:
    """Octets of the frame of layer III that begins here; 0 where none does."""
    head = int.from_bytes(content[at : at + 4])
    version, layer, rate, samples = head >> 19 & 3, head >> 17 & 3, head >> 12 & 15, head >> 10 & 3
    if head >> 21 != 0x7FF or version == 1 or layer != _LAYER_III or rate in (0, 15) or samples == 3:
        return 0
    bits = _RATES[3 if version == 3 else 2][rate] * (144_000 if version == 3 else 72_000)
    return bits // _SAMPLES[version][samples] + (head >> 9 & 1)


def clean_wav(content: bytes) -> bytes:
    """Format and sound."""
    chunks = [(name, said) for name, said in riff_chunks(content[12:]) if name in _WAV_KEPT]
    if [name for name, _ in chunks if name != b"fact"] != [b"fmt ", b"data"]:
        raise ValueError("no sound in it")
    body = b"".join(riff_chunk(name, said) for name, said in chunks)
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WAVE" + body
