"""Keys in files: made, opened, and refused where others could read or swap them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hil.errors import SetupError
from hil.names import PLAIN_NAME
from hil.signing.files import check_folder, read_secret, write_new
from hil.signing.passphrase import PASSPHRASE, find_secret
from hil.signing.signer import Signer
from hil.signing.trusted import KEY, keyid_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

PRIVATE = ".key"
PKCS11 = "pkcs11:"


@dataclass(frozen=True, slots=True)
class FileKey:
    """An Ed25519 key from a file, open. Satisfies Signer."""

    name: str
    keyid: str
    _private: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> Ed25519PublicKey:
        return self._private.public_key()

    def sign(self, data: bytes) -> bytes:
        return self._private.sign(data)


def new_key(folder: Path, name: str, passphrase: bytes | None) -> tuple[Path, Path]:
    """Make an Ed25519 key NAME.key (PKCS#8, mode 0600) and NAME.pub beside it; return both paths.

    Raises SetupError for a name that is none, files that are there, a folder that others can write.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return write_pair(folder, name, key, passphrase, public, KEY)


def write_pair(
    folder: Path, name: str, key: PrivateKeyTypes, passphrase: bytes | None, public: bytes, suffix: str
) -> tuple[Path, Path]:
    """Write a private key, and what may be shown of it under NAME and that suffix; neither is written over."""
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    if not PLAIN_NAME.fullmatch(name):
        raise SetupError(f"{name!r} cannot name a key", "take up to 64 letters, digits, '.', '_' and '-'")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"{folder} cannot be made: {error.strerror}", "choose another folder") from error
    check_folder(folder, "the folder of keys")
    private_path, public_path = folder / f"{name}{PRIVATE}", folder / f"{name}{suffix}"
    if public_path.exists():
        raise SetupError(f"{public_path} is there already", "choose another name: a key is never written over")
    how = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    write_new(private_path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how), 0o600)
    write_new(public_path, public, 0o644)
    return private_path, public_path


def open_signer(key: str, passphrase_file: str = "") -> Signer:
    """Open the key that signs records: a file, or a pkcs11: URI (RFC 7512). Raises SetupError that says why not."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if key.startswith(PKCS11):
        from hil.signing.token import open_token_signer

        return open_token_signer(key, passphrase_file)
    path = Path(key)
    if path.suffix == KEY:  # before its mode, which is right for what it is
        raise SetupError(f"the key {path} is a public one: it cannot sign", f"name {path.with_suffix(PRIVATE)}")
    private = open_private(path, passphrase_file)
    if not isinstance(private, Ed25519PrivateKey):
        raise SetupError(f"the key {path} is of another kind", "records are signed with Ed25519: 'hil keys new NAME'")
    return FileKey(path.stem, keyid_of(private.public_key()), private)


def open_private(path: Path, passphrase_file: str = "") -> PrivateKeyTypes:
    """Open a private key of any kind, PEM; its passphrase is asked for only where it has one. Raises SetupError."""
    raw = read_secret(path, "the key")
    found = _parse(raw, None)
    if found == _LOCKED:
        found = _parse(raw, find_secret(f"the passphrase of the key {path.name}", PASSPHRASE, passphrase_file))
    del raw  # an error's traceback shows what its frames hold
    if isinstance(found, str):
        raise SetupError(f"the key {path} {found}", "name another, or make one: 'hil keys new NAME'")
    return found


_LOCKED = "is locked"


def _parse(raw: bytes, passphrase: bytes | None) -> PrivateKeyTypes | str:
    """Return the key, or why it is none, in words that hold nothing of it."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if b"PUBLIC KEY" in raw or b"BEGIN CERTIFICATE" in raw:
        return "is a public one: it cannot sign"
    try:
        return load_pem_private_key(raw, passphrase)
    except TypeError:
        return _LOCKED
    except ValueError:
        return "does not open: it is damaged, or this is not its passphrase" if passphrase else "is no key in PEM"
    except UnsupportedAlgorithm:
        return "is of a kind that is not known here"
