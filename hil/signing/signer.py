"""What signs: a key in a file, or in a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Signer(Protocol):
    """An Ed25519 key that can be used now; whoever it belongs to has opened it already."""

    @property
    def name(self) -> str:
        """Whose key it is, as its file or token says."""
        ...

    @property
    def keyid(self) -> str:
        """The SHA-256 of its public key (SubjectPublicKeyInfo, DER), 64 hex digits."""
        ...

    @property
    def public(self) -> Ed25519PublicKey:
        """Return its public half."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Return the signature, 64 bytes (RFC 8032)."""
        ...
