"""A certificate that vouches for itself, for trials of PDF signatures: compare its fingerprint before you trust it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from hil.errors import SetupError
from hil.names import what_is_wrong
from hil.signing.keys import write_pair
from hil.signing.trusted import CERTIFICATE

if TYPE_CHECKING:
    from cryptography import x509

LASTS = timedelta(days=2 * 365)
LONGEST = 64  # characters of a name (X.520, ub-common-name, ub-organization-name)


def new_certificate(folder: Path, name: str, whose: str, passphrase: bytes | None) -> tuple[Path, Path]:
    """Make a P-256 key NAME.key and its certificate NAME.pem for "Common Name, Organisation"; return both paths."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding

    subject = _name(whose)
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC).replace(microsecond=0)
    uses = dict.fromkeys(
        ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign", "encipher_only"), False
    )
    usage = x509.KeyUsage(digital_signature=True, content_commitment=True, decipher_only=False, **uses)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + LASTS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return write_pair(folder, name, key, passphrase, made.public_bytes(Encoding.PEM), CERTIFICATE)


def _name(whose: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    parts = [part.strip() for part in whose.split(",", 1)]
    for part in parts:
        if why := what_is_wrong(part, LONGEST) or ("" if part else "it is empty"):
            raise SetupError(
                f"{part[:LONGEST]!r} cannot stand in a certificate: {why}", "as in 'A. Person, Laboratory'"
            )
    oids = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
    return x509.Name([x509.NameAttribute(oid, part) for oid, part in zip(oids, parts, strict=False)])
