"""TLS on a line: the carrier proves who it is, and so do we where it wants that."""

import ssl

from smsdesk.carriers.smpp.config import Config


def tls_context(config: Config) -> ssl.SSLContext | None:
    """None for a line without TLS. The files are read here, once; ValueError says which cannot be used, and why."""
    if not config.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=config.tls_ca_file or None)
    except OSError as error:
        raise ValueError(f"tls_ca_file {config.tls_ca_file}: {_why(error)}") from None
    if config.tls_certificate_file:
        try:
            context.load_cert_chain(config.tls_certificate_file, config.tls_key_file, password="")
        except OSError as error:
            files = f"{config.tls_certificate_file} and {config.tls_key_file}"
            raise ValueError(f"tls_certificate_file and tls_key_file, {files}: {_why(error)}") from None
    return context


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        said = (error.reason or "").replace("_", " ").lower()
        return f"not PEM that can be used, unencrypted and belonging together ({said or 'nothing in it'})"
    return f"cannot be read ({error.strerror})"
