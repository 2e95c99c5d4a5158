"""Keys in a token or an HSM, through its PKCS#11 module: they sign there and never leave it.

Ref: PKCS #11 Specification v3.1 (OASIS), 6.3.17 (EdDSA). Tried with SoftHSM2.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil.errors import SetupError
from hil.signing.passphrase import PIN, find_secret
from hil.signing.pkcs11_uri import TokenKey, parse
from hil.signing.signer import Signer
from hil.signing.trusted import keyid_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class TokenSigner:
    """An Ed25519 key in a token, its PIN given. Satisfies Signer."""

    name: str
    keyid: str
    public: Ed25519PublicKey = field(repr=False)
    _private: Any = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        import pkcs11
        from pkcs11.exceptions import PKCS11Error

        try:
            return bytes(self._private.sign(data, mechanism=pkcs11.Mechanism.EDDSA))
        except PKCS11Error as error:
            raise SetupError(
                f"the key {self.name} does not sign: {_why(error)}", "is its token still there?"
            ) from error


def open_token_signer(uri: str, pin_file: str = "") -> Signer:
    """Open the key that a pkcs11: URI names; its PIN from the URI's pin-source, the file, HIL_PIN or a terminal.

    Raises SetupError that says what is not there, or was refused.
    """
    asked = parse(uri)
    _check_module(Path(asked.module))
    import pkcs11
    from pkcs11.exceptions import PKCS11Error

    where = f"the token {asked.token or asked.serial}"
    try:
        token = _one(pkcs11.lib(asked.module).get_tokens(**_named(asked)), where)
        session = _log_in(token, find_secret(f"the PIN of {where}", PIN, asked.pin_file or pin_file).decode())
    except (PKCS11Error, RuntimeError, UnicodeDecodeError) as error:
        why = _why(error)
    else:
        try:
            return _signer(session, asked)
        except (PKCS11Error, SetupError) as error:
            session.close()
            if isinstance(error, SetupError):
                raise
            why = _why(error)
    raise SetupError(f"{where} does not open: {why}", "check module-path, token and PIN")


def _log_in(token: Any, pin: str) -> Any:
    from pkcs11.exceptions import UserAlreadyLoggedIn

    try:
        return token.open(user_pin=pin)
    except UserAlreadyLoggedIn:  # by this process, with another key of the token
        return token.open()


def _signer(session: Any, asked: TokenKey) -> TokenSigner:
    import pkcs11

    which: dict[Any, Any] = {pkcs11.Attribute.KEY_TYPE: pkcs11.KeyType.EC_EDWARDS}
    which |= {pkcs11.Attribute.LABEL: asked.label} if asked.label else {}
    which |= {pkcs11.Attribute.ID: asked.id} if asked.id else {}
    halves = {
        kind: _one(
            session.get_objects({pkcs11.Attribute.CLASS: kind, **which}), f"the Ed25519 key {asked.name}, {kind.name}"
        )
        for kind in (pkcs11.ObjectClass.PRIVATE_KEY, pkcs11.ObjectClass.PUBLIC_KEY)
    }
    public = _public(bytes(halves[pkcs11.ObjectClass.PUBLIC_KEY][pkcs11.Attribute.EC_POINT]), asked.name)
    return TokenSigner(asked.name, keyid_of(public), public, halves[pkcs11.ObjectClass.PRIVATE_KEY])


def _named(asked: TokenKey) -> dict[str, Any]:
    named: dict[str, Any] = {"token_label": asked.token} if asked.token else {}
    return named | ({"token_serial": asked.serial.encode()} if asked.serial else {})


def _one(found: Any, what: str) -> Any:
    several = list(found)
    if not several:
        raise SetupError(f"{what}, is not there", "list what is with 'pkcs11-tool --list-objects'")
    if len(several) > 1:
        raise SetupError(f"{what}, is there {len(several)} times", "name it by its serial, or its id")
    return several[0]


def _public(point: bytes, name: str) -> Any:
    """Return the public key from CKA_EC_POINT: 32 bytes, in a DER octet string or (older modules) bare."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    bare = point.removeprefix(b"\x04\x20") if len(point) == 34 else point
    if len(bare) != 32:
        raise SetupError(
            f"the key {name} is no Ed25519 key", "make one in the token: EC_EDWARDS_KEY_PAIR_GEN, edwards25519"
        )
    return Ed25519PublicKey.from_public_bytes(bare)


def _check_module(module: Path) -> None:
    """Refuse a library that somebody else than the administrator could have put there: loading it runs it."""
    try:
        real = module.resolve(strict=True)
        found = [real.stat(), real.parent.stat()]
    except OSError as error:
        raise SetupError(f"the PKCS#11 module {module} is not there: {error.strerror}", "install it") from error
    if any(one.st_uid != 0 or one.st_mode & (stat.S_IWGRP | stat.S_IWOTH) for one in found):
        raise SetupError(
            f"the PKCS#11 module {real} is not the administrator's alone", "take one that the system installed"
        )


def _why(error: Exception) -> str:
    """Return the name of what the token said; its text could hold anything."""
    return type(error).__name__
