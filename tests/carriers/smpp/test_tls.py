"""TLS: the carrier is always who it says, and nothing leaves to anybody else."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from smsdesk.carriers.contract import Accepted
from smsdesk.carriers.smpp import pdu as smpp
from smsdesk.carriers.smpp.carrier import SmppCarrier

from .rig import Smsc, config, line, outbound

Key = ec.EllipticCurvePrivateKey


class Authority:
    """Signs certificates, and keeps all files in one folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        certificate = self._sign(self._name, self._key, [x509.BasicConstraints(ca=True, path_length=None)])
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(certificate.public_bytes(Encoding.PEM))

    def issue(self, name: str, encryption: KeySerializationEncryption | None = None) -> tuple[Path, Path]:
        """A certificate for this name and 127.0.0.1, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(IPv4Address("127.0.0.1"))])
        if name.startswith("other"):
            names = x509.SubjectAlternativeName([x509.DNSName(name)])
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        certificate = self._sign(subject, key, [names, x509.BasicConstraints(ca=False, path_length=None)])
        files = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
        files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()))
        return files

    def _sign(self, subject: x509.Name, key: Key, extensions: list[x509.ExtensionType]) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(self._key, SHA256())


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


def server(files: tuple[Path, Path], client_authority: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    if client_authority is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_authority)
    return context


def trusting(authority: Authority, **more: Any) -> dict[str, Any]:
    return {"tls": True, "tls_ca_file": str(authority.file), **more}


async def test_a_text_over_tls(authority: Authority) -> None:
    tls = server(authority.issue("smsc.example.com"))
    async with Smsc().listening(tls=tls) as smsc, line(smsc.port, **trusting(authority)) as running:
        peer = await smsc.accept_bound()
        await running.bound()
        running.carrier.send([outbound(1)])
        peer.take(await peer.read(smpp.SubmitSm))
        assert await running.ledger.outcome_of(1) == Accepted(("id-1",))


async def test_we_show_our_own_certificate_where_the_carrier_wants_one(authority: Authority) -> None:
    tls = server(authority.issue("smsc.example.com"), client_authority=authority.file)
    certificate, key = authority.issue("acme")
    ours = {"tls_certificate_file": str(certificate), "tls_key_file": str(key)}
    async with Smsc().listening(tls=tls) as smsc, line(smsc.port, **trusting(authority, **ours)) as running:
        await smsc.accept_bound()
        await running.bound()


async def test_the_name_in_the_certificate_may_be_another(authority: Authority) -> None:
    tls = server(authority.issue("other.example.com"))
    settings = trusting(authority, tls_server_name="other.example.com")
    async with Smsc().listening(tls=tls) as smsc, line(smsc.port, **settings) as running:
        await smsc.accept_bound()
        await running.bound()


async def test_a_certificate_for_somebody_else_is_refused_before_the_password_leaves(authority: Authority) -> None:
    tls = server(authority.issue("other.example.com"))
    async with Smsc().listening(tls=tls) as smsc, line(smsc.port, **trusting(authority)) as running:
        said = await running.logs("the carrier's certificate")
        assert "IP address mismatch" in said
        assert not running.carrier.up()


async def test_a_certificate_of_an_unknown_authority_is_refused(authority: Authority, tmp_path: Path) -> None:
    tls = server(Authority(tmp_path, "stranger").issue("smsc.example.com"))
    async with Smsc().listening(tls=tls) as smsc, line(smsc.port, **trusting(authority)) as running:
        await running.logs("unable to get local issuer certificate")


async def test_tls_to_a_port_that_speaks_none_is_said() -> None:
    async with Smsc().listening() as smsc, line(smsc.port, tls=True, reconnect_longest=60.0) as running:
        peer = await smsc.accept()
        peer.send(smpp.EnquireLink(1))
        await running.logs("TLS: wrong version number")


def test_files_that_cannot_be_used_are_named_when_the_carrier_is_made(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.issue("acme")
    _, other_key = authority.issue("smsc.example.com")
    locked = authority.issue("locked", BestAvailableEncryption(b"sesame"))
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("")
    missing = str(tmp_path / "missing.pem")

    def problem(**settings: str) -> str:
        with pytest.raises(ValueError, match="tls_") as caught:
            SmppCarrier(1, "upstream", config(2775, tls=True, **settings))
        return str(caught.value)

    assert problem(tls_ca_file=missing) == f"tls_ca_file {missing}: cannot be read (No such file or directory)"
    assert problem(tls_ca_file=str(nothing)).startswith(f"tls_ca_file {nothing}: not PEM that can be used")
    pairs = [
        (missing, str(key)),
        (str(certificate), missing),
        (str(certificate), str(other_key)),
        tuple(map(str, locked)),
    ]
    for one, other in pairs:
        said = problem(tls_certificate_file=one, tls_key_file=other)
        assert said.startswith(f"tls_certificate_file and tls_key_file, {one} and {other}: ")
