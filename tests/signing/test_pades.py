"""Signatures of PDFs: of all bytes and by a certificate that is trusted, or none."""

import io
import random
import re
from datetime import UTC, datetime, timedelta

import pikepdf
import pytest

from hil.errors import SetupError
from hil.signing import pades
from hil.signing.errors import SignatureBad, UnknownKey
from hil.signing.keys import new_key
from hil.signing.self_signed import new_certificate
from hil.signing.trusted import load_trusted

WHERE = "certificate.pdf"


def example(journal=b'{"seq":0}\n', says="PASS"):
    """A page with a file attached, as small as one can be."""
    document = pikepdf.new()
    document.add_blank_page()
    document.pages[0].Contents = document.make_stream(b"BT (%b) Tj ET" % says.encode())
    document.attachments["journal.jsonl"] = pikepdf.AttachedFileSpec(document, journal)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A signer's key and certificate, which is trusted, and a signed PDF."""
    folder = tmp_path_factory.mktemp("pdf")
    folder.chmod(0o700)
    key, certificate = new_certificate(folder, "pdf", "A. Person, Laboratory", None)
    seal = pades.open_seal(str(key), certificate)
    return folder, load_trusted(certificate).certificates, seal, seal(example())


def check(pdf, room):
    return pades.check_pdf(pdf, room[1], WHERE)


def test_a_signed_pdf_says_who_signed_all_of_it(room):
    """By name, and by the name under which the certificate is trusted; it is marked as to be changed no more."""
    trusted, signed = room[1], room[3]
    found = check(signed, room)
    with pikepdf.open(io.BytesIO(signed)) as document:
        root = {str(key) for key in document.Root.keys()}  # noqa: SIM118 - of pikepdf
        (field,) = document.Root.AcroForm.Fields
        version = max(document.pdf_version, str(document.Root.get("/Version", ""))[1:])
        perms = document.Root.Perms.DocMDP.Reference[0].TransformParams.P

    assert found is not None
    assert (found.subject, found.trusted_as) == ("A. Person, Laboratory", "pdf")
    assert found.fingerprint == trusted[0].fingerprint
    assert abs(found.at - datetime.now(UTC)) < timedelta(hours=1)
    assert field.V.SubFilter == "/ETSI.CAdES.detached"
    assert perms == 1
    assert version == "1.7"  # PDF/A-3 allows no other
    assert "/Extensions" not in root
    assert pades.attachments(signed, WHERE) == {"journal.jsonl": b'{"seq":0}\n'}
    assert b"PRIVATE" not in signed


def test_a_pdf_that_nobody_signed_is_not_signed(room):
    """That is no error; nothing is known of it."""
    assert check(example(), room) is None


def test_a_stranger_s_certificate_is_unknown_whatever_name_is_in_it(room, tmp_path):
    """The same name in it makes no difference; nor does an empty list of trusted ones, which trusts nobody."""
    tmp_path.chmod(0o700)
    forged = pades.open_seal(*map(str, new_certificate(tmp_path, "x", "A. Person, Laboratory", None)))(example())
    for trusted, pdf in ((room[1], forged), ((), room[3])):
        with pytest.raises(UnknownKey, match=r"unknown certificate of A\. Person, Laboratory"):
            pades.check_pdf(pdf, trusted, WHERE)


def test_an_update_after_the_signature_is_an_alteration(room):
    """PDF allows changes to be appended, and shows the newest page: of the page, of the attachment, of nothing."""
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    def page(writer):
        writer.root["/Pages"]["/Kids"][0]["/Contents"] = writer.add_object(
            generic.StreamObject(stream_data=b"BT (FAIL) Tj ET")
        )
        writer.update_container(writer.root["/Pages"]["/Kids"][0])

    def attachment(writer):
        names = writer.root["/Names"]["/EmbeddedFiles"]["/Names"]
        names[1]["/EF"]["/F"] = writer.add_object(generic.StreamObject(stream_data=b"{}\n"))
        writer.update_container(names[1]["/EF"])

    def nothing(writer):
        writer.add_object(generic.TextStringObject("harmless"))

    for change in (page, attachment, nothing):
        writer = IncrementalPdfFileWriter(io.BytesIO(room[3]))
        change(writer)
        out = io.BytesIO()
        writer.write(out)
        assert out.getvalue().startswith(room[3])
        with pytest.raises(SignatureBad, match="altered since its pages were signed"):
            check(out.getvalue(), room)
    for added in (b"\n", b"%", b" "):
        with pytest.raises(SignatureBad):
            check(room[3] + added, room)


def test_a_second_signature_is_not_wanted(room):
    """Whoever signs on top of it has changed the file."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from pyhanko.sign.fields import SigSeedSubFilter

    key = signers.SimpleSigner.load(str(room[0] / "pdf.key"), str(room[0] / "pdf.pem"))
    signed = example()
    for name, kind, says in (
        ("First", SigSeedSubFilter.ADOBE_PKCS7_DETACHED, "not of the PAdES kind"),
        ("Second", SigSeedSubFilter.PADES, "2 signatures, one is wanted"),
    ):
        about = signers.PdfSignatureMetadata(field_name=name, subfilter=kind)
        signed = signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(signed)), about, signer=key).getvalue()
        with pytest.raises(SignatureBad, match=says):
            check(signed, room)


def test_single_bytes_changed_are_found_in_the_pages_and_in_the_signature_itself(room):
    """The signature cannot cover itself: the case of its digits, the room behind it, what is in it but not signed."""
    signed = room[3]
    start = signed.index(b"/Contents <") + 11
    end = signed.index(b">", start)
    digits = signed[start:end].rstrip(b"0")
    letter = start + next(place for place, byte in enumerate(digits) if chr(byte) in "abcdefABCDEF")
    spelled = signed.upper()
    version = spelled.index(b"020101310", start) + 5  # of the signed data (RFC 5652, 5.1)
    word = b"Laboratory".hex().upper().encode()  # issuer and subject of the certificate, then whose it is, not signed
    name = start + [found.start() for found in re.finditer(word, spelled[start:end])][2]
    dice = random.Random(3)
    places = [(letter, 0x20), (start + len(digits) + 8, 1), (end - 1, 1), (version, 1), (name, 2)]
    places += [(dice.randrange(start, start + len(digits)), 1) for _ in range(8)]
    places += [(dice.randrange(len(signed)), 1) for _ in range(6)]
    for place, bits in places:
        altered = signed[:place] + bytes([signed[place] ^ bits]) + signed[place + 1 :]
        with pytest.raises(SignatureBad):
            check(altered, room)


def test_what_is_no_pdf_is_said_as_such(room):
    """Whatever it is."""
    for data in (b"", b"%PDF-1.7\n", b"x" * 2000, room[3][:3000]):
        with pytest.raises(SignatureBad, match="cannot be read as a PDF"):
            pades.attachments(data, WHERE)


def test_a_certificate_of_an_authority_vouches_for_the_signer_and_names_are_not_enough(tmp_path):
    """A chain of two: trusted by its root alone; the same signer's certificate from another root is not."""
    tmp_path.chmod(0o700)
    seal, root = chain(tmp_path / "ours")
    _, other = chain(tmp_path / "other")
    signed = seal(example())
    found = pades.check_pdf(signed, load_trusted(root).certificates, WHERE)

    assert found is not None
    assert (found.subject, found.trusted_as) == ("Signer", "root")
    with pytest.raises(UnknownKey):
        pades.check_pdf(signed, load_trusted(other).certificates, WHERE)


def chain(folder, *, days=365):
    """Make a root and a signer's certificate of it; return what seals, and the root's path."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.x509.oid import NameOID

    folder.mkdir(mode=0o700)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("Root", "Signer")]
    made = []
    for place in range(2):
        flags = dict.fromkeys(
            ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False
        )
        usage = x509.KeyUsage(
            digital_signature=place == 1, content_commitment=False, key_cert_sign=place == 0, crl_sign=False, **flags
        )
        made.append(
            x509.CertificateBuilder()
            .subject_name(names[place])
            .issuer_name(names[0])
            .public_key(keys[place].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - timedelta(days=500))
            .not_valid_after(datetime.now(UTC) + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=place == 0, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .sign(keys[0], hashes.SHA256())
            .public_bytes(Encoding.PEM)
        )
    (folder / "root.pem").write_bytes(made[0])
    (folder / "chain.pem").write_bytes(made[1] + made[0])
    private = folder / "signer.key"
    private.touch(0o600)
    private.write_bytes(keys[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return pades.open_seal(str(private), folder / "chain.pem"), folder / "root.pem"


def test_what_does_not_belong_together_is_refused_before_anything_is_signed(room, tmp_path):
    """Another key's certificate, one that has run out, none at all."""
    tmp_path.chmod(0o700)
    key, certificate = new_certificate(tmp_path, "other", "B. Person", None)
    with pytest.raises(SetupError, match="is not the certificate of the key"):
        pades.open_seal(str(key), room[0] / "pdf.pem")
    with pytest.raises(SetupError, match=r"is valid from .* to .*have it renewed"):
        chain(tmp_path / "old", days=-1)
    _, public = new_key(tmp_path, "k", None)
    with pytest.raises(SetupError, match="holds no certificate"):
        pades.open_seal(str(key), public)
    certificate.chmod(0o666)
    with pytest.raises(SetupError, match="others than its owner can write it"):
        pades.open_seal(str(key), certificate)
