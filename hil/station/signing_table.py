"""[stations.NAME.signing] of stations.toml: whose keys sign what a station records, and whose are believed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hil.errors import SetupError
from hil.signing.keys import PKCS11
from hil.signing.pkcs11_uri import parse
from hil.signing.trusted import FOLDER
from hil.station.toml_shape import Flaw, Strict, Text


class SigningTable(Strict):
    """Its keys, as they are written."""

    key: Text | None = None
    pdf_key: Text | None = None
    pdf_certificate: Text | None = None
    trusted: Text | None = None


@dataclass(frozen=True, slots=True)
class SigningConfig:
    """Paths are relative to the folder of stations.toml."""

    key: str  # a file or a pkcs11: URI; empty: nothing is signed
    pdf_key: str  # a file; empty: PDFs are not signed
    pdf_certificate: str  # the chain in PEM, the signer's own first
    trusted: Path  # folder of public keys


def flaws(table: object) -> Iterator[Flaw]:
    """Yield (path, what, hint) for what no type can say. The table may have any shape."""
    if not isinstance(table, Mapping):
        return
    for key, other in (("pdf_key", "pdf_certificate"), ("pdf_certificate", "pdf_key")):
        if key in table and other not in table:
            yield ("signing", key), f"{other} is missing beside it", "a PDF is signed with both"
    uri = table.get("key")
    if isinstance(uri, str) and uri.startswith(PKCS11):
        try:
            parse(uri)
        except SetupError as error:
            yield ("signing", "key"), error.what, error.remedy
    if str(table.get("pdf_key", "")).startswith(PKCS11):
        yield ("signing", "pdf_key"), "PDFs are signed with a key in a file only", "name the file"


def frozen(table: SigningTable | None, folder: Path) -> SigningConfig | None:
    """Return the table with its paths from the folder on."""
    if table is None:
        return None
    key = table.key or ""
    return SigningConfig(
        key=key if key.startswith(PKCS11) else _path(folder, key),
        pdf_key=_path(folder, table.pdf_key or ""),
        pdf_certificate=_path(folder, table.pdf_certificate or ""),
        trusted=folder / (table.trusted or FOLDER),
    )


def _path(folder: Path, path: str) -> str:
    return str(folder / path) if path else ""
