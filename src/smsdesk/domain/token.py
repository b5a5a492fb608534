"""API tokens: 256 bits of chance behind a prefix by which a leaked one is recognised."""

from hashlib import sha256

PREFIX = "sd_"
SECRET_BYTES = 32


def token_of(secret: bytes) -> str:
    """The token of SECRET_BYTES of chance, as a person sees it once: the prefix and hexadecimal digits."""
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a token has {SECRET_BYTES} bytes of chance, not {len(secret)}")
    return PREFIX + secret.hex()


def digest(token: str) -> bytes:
    """What is stored and looked up. No salt and no slow hash: nobody guesses 256 bits."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
