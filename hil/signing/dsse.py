"""DSSE envelopes: a payload, its type, and the signature of both.

Ref: Dead Simple Signing Envelope, v1.0.0, protocol.md (PAE) and envelope.md. Narrower than these: one signature, and
one spelling of the envelope, so that not a byte of the file can be changed, removed or added unnoticed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hil.signing.canonical import canonical, read_canonical
from hil.signing.errors import SignatureBad, UnknownKey
from hil.signing.signer import Signer
from hil.signing.trusted import TrustedKey

SIGNATURE_BYTES = 64  # Ed25519 (RFC 8032, 5.1.6)


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope that is well formed; nothing in it is true before `check` has returned."""

    where: str
    payload_type: str
    payload: bytes
    keyid: str
    signature: bytes

    def check(self, trusted: Mapping[str, TrustedKey]) -> TrustedKey:
        """Return whose signature it is, from the keys by their id; raises UnknownKey or SignatureBad."""
        from cryptography.exceptions import InvalidSignature

        key = trusted.get(self.keyid)
        if key is None:
            raise UnknownKey(self.where, self.keyid)
        try:
            key.public.verify(self.signature, pae(self.payload_type, self.payload))
        except InvalidSignature:
            raise SignatureBad(self.where, f"the signature is not that of the key {key.name!r} it names") from None
        return key


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return what is signed: type and payload, each behind its length in bytes."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload_type: str, payload: bytes, signer: Signer) -> bytes:
    """Return the signed envelope as the bytes of its file."""
    signature = signer.sign(pae(payload_type, payload))
    return canonical(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": payload_type,
            "signatures": [{"keyid": signer.keyid, "sig": base64.b64encode(signature).decode()}],
        }
    )


def open_envelope(raw: bytes, where: str, payload_type: str) -> Envelope:
    """Read an envelope of that type, from the file called `where`; raises SignatureBad for any other thing."""
    try:
        data = _fields(read_canonical(raw), {"payload", "payloadType", "signatures"})
        signatures = data["signatures"]
        if not isinstance(signatures, list) or len(signatures) != 1:
            raise ValueError("it has not exactly one signature")
        signature = _fields(signatures[0], {"keyid", "sig"})
        if data["payloadType"] != payload_type:
            raise ValueError(f"its payload is no {payload_type}")
        if not isinstance(signature["keyid"], str):
            raise ValueError("its key is no text")
        found = Envelope(where, payload_type, _bytes(data["payload"]), signature["keyid"], _bytes(signature["sig"]))
    except ValueError as error:  # of json and UnicodeDecodeError too
        raise SignatureBad(where, f"this is no signed envelope of hil's: {error}") from error
    if len(found.signature) != SIGNATURE_BYTES:
        raise SignatureBad(where, f"its signature has {len(found.signature)} bytes, not {SIGNATURE_BYTES}")
    return found


def _fields(value: Any, names: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != names:
        raise ValueError(f"where {', '.join(sorted(names))} must stand, and nothing else, stands something else")
    return value


def _bytes(text: Any) -> bytes:
    """Decode base64; the bits that a last character has too many could be changed unseen, so they must be zero."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (AttributeError, UnicodeEncodeError, binascii.Error) as error:
        raise ValueError("what should be base64 is none") from error
    if base64.b64encode(data).decode() != text:
        raise ValueError("its base64 has another spelling")
    return data
