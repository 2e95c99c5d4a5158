"""Whom we believe: public keys (NAME.pub) and certificates of PDF signatures (NAME.pem) in a folder.

A key stays in it as long as records that it signed are to be believed; whoever can write there decides what is genuine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hil.errors import SetupError
from hil.signing.files import check_folder, read_public

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.x509 import Certificate

FOLDER = "trusted_keys"  # beside stations.toml
KEY, CERTIFICATE = ".pub", ".pem"


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key and the name under which it is trusted here."""

    name: str
    keyid: str
    public: Ed25519PublicKey = field(repr=False)
    path: Path


@dataclass(frozen=True, slots=True)
class TrustedCertificate:
    """A certificate that may sign PDFs, or that vouches for those that do."""

    name: str
    fingerprint: str  # the SHA-256 of its DER, 64 hex digits
    certificate: Certificate = field(repr=False)
    path: Path


@dataclass(frozen=True, slots=True)
class Trusted:
    """All whom we believe; nobody, where the folder is empty or missing."""

    keys: Mapping[str, TrustedKey] = field(default_factory=dict)  # by keyid
    certificates: tuple[TrustedCertificate, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.keys or self.certificates)

    def with_key(self, name: str, public: Ed25519PublicKey) -> Trusted:
        """Return the same and one key more, under that name unless it is among them."""
        keyid = keyid_of(public)
        return Trusted({keyid: TrustedKey(name, keyid, public, Path()), **self.keys}, self.certificates)


def load_trusted(*places: Path) -> Trusted:
    """Read folders, or single files; a folder that is missing holds nobody. Raises SetupError for what is no key."""
    keys: dict[str, TrustedKey] = {}
    certificates: list[TrustedCertificate] = []
    for path in _files(places):
        if path.suffix == KEY:
            key = read_key(path)
            keys.setdefault(key.keyid, key)
        else:
            certificates.append(read_certificate(path))
    return Trusted(keys, tuple(certificates))


def read_key(path: Path) -> TrustedKey:
    """Read a public key, PEM; raises SetupError for any other thing, a private key above all."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    raw = read_public(path, "the public key")
    if b"PRIVATE KEY" in raw:
        raise SetupError(f"{path} holds a private key", "whom to trust is told by the .pub file beside it")
    try:
        public = load_pem_public_key(raw)
    except (ValueError, UnsupportedAlgorithm):
        raise SetupError(f"{path} is no public key in PEM", "name the .pub file that 'hil keys new' made") from None
    if not isinstance(public, Ed25519PublicKey):
        raise SetupError(f"{path} is a key of another kind", "records are signed with Ed25519: 'hil keys new'")
    return TrustedKey(path.stem, keyid_of(public), public, path)


def read_certificate(path: Path) -> TrustedCertificate:
    """Read one certificate, PEM; raises SetupError for any other thing."""
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import load_pem_x509_certificate

    raw = read_public(path, "the certificate")
    if b"PRIVATE KEY" in raw:
        raise SetupError(f"{path} holds a private key", "name the certificate alone")
    if raw.count(b"-----BEGIN ") != 1:
        raise SetupError(f"{path} is not one certificate in PEM", "one file a certificate: the root of the chain")
    try:
        certificate = load_pem_x509_certificate(raw)
    except ValueError:
        raise SetupError(f"{path} is no certificate in PEM", "name a certificate (X.509)") from None
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
    return TrustedCertificate(path.stem, digest, certificate, path)


def keyid_of(public: Ed25519PublicKey) -> str:
    """Return the SHA-256 of a public key (SubjectPublicKeyInfo, DER), 64 hex digits."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _files(places: tuple[Path, ...]) -> list[Path]:
    found: list[Path] = []
    for place in dict.fromkeys(places):
        if place.is_dir():
            check_folder(place, "the folder of trusted keys")
            found += sorted(path for path in place.iterdir() if path.suffix in {KEY, CERTIFICATE})
        elif place.exists():
            found.append(place)
    return found
