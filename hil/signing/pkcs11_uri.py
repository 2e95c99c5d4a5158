"""The URI of a key in a token: pkcs11:token=hil;object=bench-1?module-path=/usr/lib/softhsm/libsofthsm2.so

Ref: RFC 7512, 2.3 (path and query attributes). No PIN has a place in it: stations.toml and
command lines are read by many.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, unquote_to_bytes

from hil.errors import SetupError

_PATH = ("token", "serial", "object", "id", "type")
_QUERY = ("module-path", "pin-source")
_EXAMPLE = "as in pkcs11:token=hil;object=bench-1?module-path=/usr/lib/softhsm/libsofthsm2.so"


@dataclass(frozen=True, slots=True)
class TokenKey:
    """Which key of which token, through which module."""

    module: str  # path of the shared library
    token: str = ""  # label
    serial: str = ""  # of the token
    label: str = ""  # of the key
    id: bytes = b""  # of the key
    pin_file: str = ""

    @property
    def name(self) -> str:
        """Return what to call the key."""
        return self.label or self.id.hex()


def parse(uri: str) -> TokenKey:
    """Read the URI; raises SetupError for what is wrong with it, without a PIN that might stand in it."""
    scheme, _, rest = uri.partition(":")
    if scheme != "pkcs11":
        raise SetupError("this is no pkcs11: URI", _EXAMPLE)
    path, _, query = rest.partition("?")
    said = _attributes(path, ";", _PATH) | _attributes(query, "&", _QUERY)
    module, source = unquote(said.get("module-path", "")), unquote(said.get("pin-source", ""))
    if not module.startswith("/"):
        raise SetupError("the pkcs11: URI names no module-path, from / on", _EXAMPLE)
    if source and not source.removeprefix("file:").startswith("/"):
        raise SetupError("the pin-source of the pkcs11: URI is no file, from / on", "as in pin-source=file:/run/pin")
    if not ("token" in said or "serial" in said) or not ("object" in said or "id" in said):
        raise SetupError("the pkcs11: URI must name a token (or serial) and an object (or id)", _EXAMPLE)
    if said.get("type", "private") != "private":
        raise SetupError("the pkcs11: URI names no private key", "leave out type=, or say type=private")
    token, serial, label = (unquote(said.get(key, "")) for key in ("token", "serial", "object"))
    return TokenKey(module, token, serial, label, unquote_to_bytes(said.get("id", "")), source.removeprefix("file:"))


def _attributes(text: str, separator: str, known: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(separator) if text else ():
        key, equals, value = part.partition("=")
        if key == "pin-value":
            raise SetupError(
                "a PIN stands in the pkcs11: URI", "take it out: HIL_PIN, or pin-source=file:/... of mode 0600"
            )
        if key not in known or not equals:
            raise SetupError(
                f"the pkcs11: URI has an attribute that is not known here; known: {', '.join(known)}", _EXAMPLE
            )
        if key in found:
            raise SetupError(f"the pkcs11: URI says {key} twice", _EXAMPLE)
        found[key] = value
    return found
