"""Signatures of PDFs: PAdES baseline B-B, made once and checked strictly.

Ref: ETSI EN 319 142-1 (PAdES baseline signatures); ISO 32000-1:2008, 12.8.1 (byte range), 12.8.2.2 (DocMDP).
There is no time stamp of an authority (B-T and up): that takes a network. The time in a signature is the signer's word.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil.errors import SetupError
from hil.signing.errors import SignatureBad, UnknownKey
from hil.signing.files import read_public
from hil.signing.trusted import TrustedCertificate

if TYPE_CHECKING:
    from asn1crypto.x509 import Certificate
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

FIELD = "Certificate"
_SILENT = logging.NullHandler()


@dataclass(frozen=True, slots=True)
class PagesSigned:
    """Who signed a PDF, by the certificate that is trusted for it, and when by the signer's own clock."""

    subject: str
    fingerprint: str  # SHA-256 of the signer's certificate, 64 hex digits
    trusted_as: str
    at: datetime

    def __str__(self) -> str:
        return f"{self.subject} (trusted as {self.trusted_as}), at {self.at:%Y-%m-%d %H:%M:%S}Z by the signer's clock"


def open_seal(key: str, certificate: str | Path, passphrase_file: str = "") -> Callable[[bytes], bytes]:
    """Open key and certificate chain (PEM, the signer's own first); return what signs a PDF now.

    Raises SetupError for what does not open, or does not belong together.
    """
    from asn1crypto import pem, x509

    raw = read_public(Path(certificate), "the certificate of PDF signatures")
    try:
        blocks = [(kind, der) for kind, _, der in pem.unarmor(raw, multiple=True)]
        chain = [x509.Certificate.load(der, strict=True) for kind, der in blocks if kind == "CERTIFICATE"]
        for one in chain:
            _ = one.native  # all of it is parsed here or nowhere
    except (ValueError, TypeError):
        chain = []
    if not chain:
        raise SetupError(f"{certificate} holds no certificate in PEM", "name the chain, the signer's own first")
    _check_valid(str(certificate), chain[0])
    from hil.signing.keys import open_private

    private = open_private(Path(key), passphrase_file)
    _check_pair(key, str(certificate), private, chain[0])
    return lambda pdf: sign_pdf(pdf, private, chain)


def sign_pdf(pdf: bytes, private: PrivateKeyTypes, chain: Sequence[Certificate]) -> bytes:
    """Return the PDF with a signature after which nothing may change; chain: the signer's certificate first."""
    from asn1crypto.keys import PrivateKeyInfo
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    class Pdf17Signer(signers.PdfSigner):
        """PDF/A-3 is PDF 1.7: no mark of what PDF 2.0 calls an extension, ECDSA among it. Ref: ISO 19005-3, 6.1.2"""

        def register_extensions(self, pdf_out: Any, *, md_algorithm: str) -> None:
            pass

    others = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # it has no types
    others.register_multiple(chain[1:])
    key = PrivateKeyInfo.load(private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    about = signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
    )
    out = io.BytesIO()
    signer = Pdf17Signer(about, signers.SimpleSigner(chain[0], key, others))
    signer.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), output=out)
    return out.getvalue()


def check_pdf(pdf: bytes, trusted: Sequence[TrustedCertificate], where: str) -> PagesSigned | None:
    """Return who signed the file as it is, to its last byte, or None where nobody did.

    Raises UnknownKey for a certificate that no trusted one vouches for, SignatureBad for everything else.
    """
    import pyhanko.sign.validation  # noqa: F401 - a package that is missing is no fault of the file

    try:
        return _check(pdf, trusted, where)
    except SignatureBad:
        raise
    except Exception as error:  # whatever a library raises at a file that was made to break it
        raise SignatureBad(where, f"its signature is none of PAdES ({type(error).__name__}: {error})") from error


def attachments(pdf: bytes, where: str) -> dict[str, bytes]:
    """Return the files inside a PDF by name; raises SignatureBad for what is no PDF."""
    import pikepdf

    try:
        with pikepdf.open(io.BytesIO(pdf), attempt_recovery=False) as document:
            return {name: one.get_file().read_bytes() for name, one in document.attachments.items()}
    except Exception as error:  # as above
        why = str(error).rpartition(": ")[2]  # before it stands where the object lies in memory
        raise SignatureBad(where, f"it cannot be read as a PDF ({why})") from error


def _check(pdf: bytes, trusted: Sequence[TrustedCertificate], where: str) -> PagesSigned | None:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.settings import KeyUsageConstraints
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    logging.getLogger("pyhanko").addHandler(_SILENT)  # it prints the traceback of what is answered here in one line
    found = PdfFileReader(io.BytesIO(pdf), strict=True).embedded_signatures
    if not found and b"/ByteRange" not in pdf:
        return None
    if len(found) != 1:
        raise SignatureBad(where, f"it has {len(found)} signatures, one is wanted")
    (signature,) = found
    if signature.sig_object.get("/SubFilter") != "/ETSI.CAdES.detached":
        raise SignatureBad(where, "its signature is not of the PAdES kind")
    _check_spelling(pdf, signature, where)
    _check_unsigned_parts(signature.signed_data, signature.signer_cert, where)
    at = signature.self_reported_timestamp
    if at is None:
        raise SignatureBad(where, "its signature states no time")
    roots = {_der(one): one.name for one in trusted}
    context = ValidationContext(trust_roots=[_load(der) for der in roots], moment=at, allow_fetching=False)
    usage = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False)
    status = validate_pdf_signature(signature, context, key_usage_settings=usage, skip_diff=True)
    if not (status.intact and status.valid) or status.coverage != SignatureCoverageLevel.ENTIRE_FILE:
        raise SignatureBad(where, "altered since its pages were signed")
    signer = signature.signer_cert
    if not status.trusted or status.validation_path is None:
        raise UnknownKey(where, signer.sha256.hex(), f"certificate of {_whose(signer)}")
    path = {one.dump() for one in status.validation_path.iter_certs(include_root=True)}
    if any(one.chosen.untag().dump() not in path for one in signature.signed_data["certificates"]):
        raise SignatureBad(where, "a certificate came with its signature that does not belong to it")
    name = roots[next(status.validation_path.iter_certs(include_root=True)).dump()]
    return PagesSigned(_whose(signer), signer.sha256.hex(), name, at.astimezone(UTC))


def _check_spelling(pdf: bytes, signature: Any, where: str) -> None:
    """Refuse what a signature cannot cover: another spelling of itself, and anything in the room it leaves."""
    from asn1crypto.cms import ContentInfo

    start, end = signature.byte_range[1], signature.byte_range[2]
    spelled = pdf[start:end]
    der = ContentInfo.load(bytes.fromhex(spelled[1:-1].decode("ascii"))).dump()
    for written in (der.hex(), der.hex().upper()):
        if spelled == b"<" + written.encode().ljust(len(spelled) - 2, b"0") + b">":
            return
    raise SignatureBad(where, "altered: its signature is not spelled as one is")


def _check_unsigned_parts(signed_data: Any, own: Certificate, where: str) -> None:
    """Refuse what the signature holds beside what is signed: none of ours has any of it."""
    (signer,) = signed_data["signer_infos"]
    digests = [one.dump() for one in signed_data["digest_algorithms"]]
    if digests != [signer["digest_algorithm"].dump()] or signer["unsigned_attrs"].native or signed_data["crls"].native:
        raise SignatureBad(where, "its signature holds something that is not signed")
    by_name = signer["sid"].name == "issuer_and_serial_number"
    version = b"\x02\x01" + (b"\x01" if by_name else b"\x03")  # RFC 5652, 5.1 and 5.3
    if {signed_data["version"].dump(), signer["version"].dump()} != {version}:
        raise SignatureBad(where, "its signature is of another version than its parts")
    if by_name and signer["sid"].chosen["issuer"].dump() != own.issuer.dump():
        raise SignatureBad(where, "its signature spells the name of the certificate in another way")


def _whose(certificate: Certificate) -> str:
    said = certificate.subject.native
    return ", ".join(str(said[key]) for key in ("common_name", "organization_name") if key in said) or "nobody by name"


def _load(der: bytes) -> Certificate:
    from asn1crypto.x509 import Certificate

    return Certificate.load(der)


def _der(one: TrustedCertificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return one.certificate.public_bytes(Encoding.DER)


def _check_pair(key: str, certificate: str, private: PrivateKeyTypes, own: Certificate) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if public != own.public_key.dump():
        raise SetupError(f"{certificate} is not the certificate of the key {key}", "name the two that belong together")


def _check_valid(certificate: str, own: Certificate) -> None:
    now = datetime.now(UTC)
    if not own.not_valid_before <= now <= own.not_valid_after:
        ends = f"{own.not_valid_before:%Y-%m-%d} to {own.not_valid_after:%Y-%m-%d}"
        raise SetupError(f"the certificate {certificate} is valid from {ends}", "have it renewed")
