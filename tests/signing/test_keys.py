"""Keys in files: made closed, opened only where nobody else could have read or swapped them, never shown."""

import hashlib
import io
import os
import pickle
import stat
import traceback
from pathlib import Path

import pytest

from hil.errors import SetupError
from hil.signing import passphrase as asking
from hil.signing.keys import new_key, open_private, open_signer
from hil.signing.self_signed import new_certificate
from hil.signing.trusted import load_trusted, read_key

SECRET = "correct horse battery staple"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of one's own, nothing in the environment, nobody at the terminal."""
    monkeypatch.delenv("HIL_PASSPHRASE", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    tmp_path.chmod(0o700)
    return tmp_path


def secret_file(folder, text=SECRET):
    path = folder / "secret"
    path.write_text(f"{text}\n")
    path.chmod(0o600)
    return str(path)


def test_a_key_signs_and_its_public_half_verifies(folder):
    """What `openssl` would check too: SubjectPublicKeyInfo and PKCS#8, both PEM; the id is the digest of the former."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    private, public = new_key(folder / "keys", "bench-1", SECRET.encode())
    signer = open_signer(str(private), secret_file(folder))
    loaded = load_pem_public_key(public.read_bytes())
    loaded.verify(signer.sign(b"data"), b"data")

    der = loaded.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert private.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert (signer.name, signer.keyid) == ("bench-1", hashlib.sha256(der).hexdigest())
    assert read_key(public).keyid == signer.keyid


def test_a_key_is_never_open_to_others_not_even_for_a_moment(folder, monkeypatch):
    """The mode is there when the file is made, whatever the umask, and nothing changes it later."""
    opened = []
    real = os.open
    monkeypatch.setattr(
        os, "open", lambda path, flags, mode=0o777: opened.append((path, mode)) or real(path, flags, mode)
    )
    before = os.umask(0)
    try:
        private, _ = new_key(folder, "k", None)
    finally:
        os.umask(before)

    assert (private, 0o600) in opened
    assert stat.S_IMODE(private.stat().st_mode) == 0o600


def test_a_key_is_never_written_over(folder):
    """Neither half: a lost key cannot be made again."""
    private, public = new_key(folder, "k", None)
    kept = private.read_bytes()
    with pytest.raises(SetupError, match="is there already"):
        new_key(folder, "k", None)
    public.unlink()
    with pytest.raises(SetupError, match="is there already"):
        new_key(folder, "k", None)

    assert private.read_bytes() == kept


@pytest.mark.parametrize("name", ["../k", "", "a b", "-k", "k\n"])
def test_a_key_has_a_plain_name(folder, name):
    """It names two files."""
    with pytest.raises(SetupError, match="cannot name a key"):
        new_key(folder, name, None)


def spoil_mode(private):
    private.chmod(0o640)
    return private


def spoil_folder(private):
    private.parent.chmod(0o777)
    return private


def spoil_link(private):
    link = private.with_name("link.key")
    link.symlink_to(private)
    return link


def spoil_kind(private):
    return new_certificate(private.parent, "pdf", "A. Person", None)[0]


def spoil_pipe(private):
    path = private.with_name("pipe")
    os.mkfifo(path, 0o600)
    return path


def spoil_text(private):
    private.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    return private


def spoil_length(private):
    private.write_bytes(b"x" * (1 << 17))
    return private


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (spoil_mode, "others than its owner can read it"),
        (spoil_folder, "others than its owner can write in"),
        (spoil_link, "is a link"),
        (spoil_kind, "is of another kind"),
        (spoil_pipe, "is no file"),
        (spoil_text, "is no key in PEM"),
        (spoil_length, "bytes, 65536 are the most"),
        (lambda private: private.with_suffix(".pub"), "is a public one|can read it"),
        (lambda private: private.with_name("none"), "cannot be read: No such file"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_by_its_own_sentence(folder, spoil, says):
    """Readable, swappable, a link, of another kind, no key: each is said as what it is."""
    private, _ = new_key(folder / "keys", "k", None)

    with pytest.raises(SetupError, match=says):
        open_signer(str(spoil(private)))


def test_a_public_key_signs_nothing_even_where_only_its_owner_reads_it(folder):
    """The two files beside each other are easily mixed up."""
    _, public = new_key(folder, "k", None)
    public.chmod(0o600)

    with pytest.raises(SetupError, match="is a public one: it cannot sign"):
        open_signer(str(public))


def test_a_wrong_or_missing_passphrase_shows_nothing(folder):
    """Neither the key, nor the passphrase: not in the error, its cause, its pickle, or the traceback's text."""
    private, _ = new_key(folder, "k", SECRET.encode())
    with pytest.raises(SetupError, match="nobody can be asked; name a file with it, or set HIL_PASSPHRASE"):
        open_signer(str(private))
    wrong = "another passphrase it is"
    with pytest.raises(SetupError, match="this is not its passphrase") as caught:
        open_signer(str(private), secret_file(folder, wrong))
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    shown += repr(caught.value) + repr(pickle.dumps(caught.value)) + str(caught.value)
    base64 = private.read_text().splitlines()[1]

    assert wrong not in shown.replace(f"wrong = {wrong!r}", "")  # this test's own line
    assert base64 not in shown
    assert base64[:20] not in shown


def test_an_open_key_does_not_show_itself(folder):
    """It is a field of what reports are made with, and that may be printed."""
    private, _ = new_key(folder, "k", None)
    body = private.read_text().splitlines()[1]

    assert repr(open_signer(str(private))).startswith("FileKey(name='k', keyid=")
    assert body not in repr(open_signer(str(private)))


def test_a_passphrase_comes_from_a_file_the_environment_or_a_terminal(folder, monkeypatch):
    """In this order; a file that others can read is refused, and nobody is asked without a terminal."""
    monkeypatch.setenv("HIL_PASSPHRASE", "of the environment")
    file = secret_file(folder, "of the file")
    assert asking.find_secret("it", "HIL_PASSPHRASE", file) == b"of the file"
    assert asking.find_secret("it", "HIL_PASSPHRASE") == b"of the environment"
    monkeypatch.delenv("HIL_PASSPHRASE")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: f"asked for {prompt}")
    assert asking.find_secret("it", "HIL_PASSPHRASE") == b"asked for it: "
    Path(file).chmod(0o644)
    with pytest.raises(SetupError, match="chmod 600"):
        asking.find_secret("it", "HIL_PASSPHRASE", file)


def test_a_new_passphrase_is_long_and_typed_twice_alike(folder, monkeypatch):
    """PKCS#8 as written here stretches it 2048-fold only."""
    with pytest.raises(SetupError, match="fewer than 16 characters"):
        asking.new_passphrase("k", secret_file(folder, "fifteen letters"))
    typed = iter([SECRET, SECRET[:-1] + "f"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    with pytest.raises(SetupError, match="differ"):
        asking.new_passphrase("k")


def test_whom_to_trust_is_read_from_files_that_nobody_else_can_write(folder):
    """Keys and certificates by name; nothing else in the folder, no links, no private key under a public one's name."""
    keys = folder / "trusted"
    _, public = new_key(keys, "bench-1", None)
    private, certificate = new_certificate(keys, "pdf", "A. Person, Laboratory", None)
    trusted = load_trusted(keys, keys, folder / "missing")

    assert [one.name for one in trusted.keys.values()] == ["bench-1"]
    assert [one.path for one in trusted.certificates] == [certificate]
    assert not load_trusted(folder / "missing")
    (keys / "stolen.pub").write_bytes(private.read_bytes())
    with pytest.raises(SetupError, match="holds a private key"):
        load_trusted(keys)
    (keys / "stolen.pub").unlink()
    public.chmod(0o666)
    with pytest.raises(SetupError, match="others than its owner can write it"):
        load_trusted(keys)
    public.chmod(0o644)
    keys.chmod(0o775)
    with pytest.raises(SetupError, match="others than its owner can write in"):
        load_trusted(keys)


@pytest.mark.parametrize("whose", ["", ",", "A. Person,", "a\nb", "x" * 65])
def test_a_certificate_is_somebodys(folder, whose):
    """A name that can be read, within what X.520 has room for; nothing is written otherwise."""
    with pytest.raises(SetupError, match="cannot stand in a certificate"):
        new_certificate(folder, "pdf", whose, None)
    assert list(folder.iterdir()) == []


def test_a_key_opens_without_being_asked_for_a_passphrase_it_has_not(folder):
    """A station that runs unattended may have such a key; that it has is said when it is made."""
    private, _ = new_key(folder, "k", None)

    assert open_private(private, "no such file").sign(b"x")
