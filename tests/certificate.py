"""A certificate that nobody signed, made for the tests, and what either side makes of it."""

from __future__ import annotations

import datetime
import functools
import ssl
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from twisted.internet.ssl import PrivateCertificate

if TYPE_CHECKING:
    from twisted.internet.ssl import CertificateOptions

__all__ = ["certificate_pem", "client_context", "server_options", "write_certificate"]

_BEGINS = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
_ENDS = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)


@functools.cache
def certificate_pem() -> tuple[bytes, bytes]:
    """A private key, and its certificate for localhost.

    Ed25519, because its signatures all have one size: a run in memory is then the same each time.
    """
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), _BEGINS, _ENDS)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, None)
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, certificate.public_bytes(Encoding.PEM)


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """The same as files, as an endpoint wants them: the key, the certificate."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    private, public = certificate_pem()
    key.write_bytes(private)
    key.chmod(0o600)
    certificate.write_bytes(public)
    return key, certificate


@functools.cache
def server_options() -> CertificateOptions:
    """What a server in memory needs."""
    private, public = certificate_pem()
    with warnings.catch_warnings():
        # Twisted hands its keys to pyOpenSSL in a way that pyOpenSSL does not like any more.
        warnings.simplefilter("ignore", DeprecationWarning)
        options: CertificateOptions = PrivateCertificate.loadPEM(private + public).options()
        options.getContext()
    return options


@functools.cache
def client_context() -> ssl.SSLContext:
    """What a client needs, which trusts this certificate alone."""
    with tempfile.TemporaryDirectory() as folder:
        _, certificate = write_certificate(Path(folder))
        return ssl.create_default_context(cafile=str(certificate))
