"""Keys in a token: their URI, and SoftHSM2 where it is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hil.errors import SetupError
from hil.signing.keys import open_signer
from hil.signing.pkcs11_uri import TokenKey, parse

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so")
MODULE = next((path for path in MODULES if Path(path).exists()), "")
PIN = "1234-never-shown"


def test_a_uri_names_module_token_and_key():
    """RFC 7512: attributes in any order, percent-encoded."""
    uri = (
        "pkcs11:object=bench%201;token=hil;id=%01%02;serial=ab;type=private?pin-source=file:/run/pin&module-path=/l.so"
    )

    assert parse(uri) == TokenKey("/l.so", "hil", "ab", "bench 1", b"\x01\x02", "/run/pin")


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("pkcs11:token=hil;object=k", "names no module-path"),
        ("pkcs11:token=hil;object=k?module-path=l.so", "names no module-path, from / on"),
        ("pkcs11:token=hil?module-path=/l.so", "must name a token .* and an object"),
        ("pkcs11:object=k?module-path=/l.so", "must name a token .* and an object"),
        ("pkcs11:tokn=hil;object=k?module-path=/l.so", "not known here; known: token"),
        ("pkcs11:token=hil;token=hil;object=k?module-path=/l.so", "says token twice"),
        ("pkcs11:token=hil;object=k;type=public?module-path=/l.so", "no private key"),
        ("pkcs11:token=hil;object=k?module-path=/l.so&pin-source=|pin", "is no file"),
        ("file:k", "no pkcs11: URI"),
    ],
)
def test_a_uri_that_says_too_little_or_too_much_is_refused(uri, says):
    """Each by its own sentence, with an example."""
    with pytest.raises(SetupError, match=says):
        parse(uri)


@pytest.mark.parametrize("where", [f"?pin-value={PIN}&module-path=/l.so", f";pin-value={PIN}?module-path=/l.so"])
def test_a_pin_in_a_uri_is_refused_and_not_repeated(where):
    """stations.toml and command lines are read by many."""
    with pytest.raises(SetupError, match="a PIN stands in the pkcs11: URI") as caught:
        parse(f"pkcs11:token=hil;object=k{where}")

    assert PIN not in str(caught.value)


def test_a_module_that_is_not_the_administrator_s_is_not_loaded(tmp_path):
    """A library runs when it is loaded: stations.toml must not start what somebody put into a folder of his own."""
    module = tmp_path / "evil.so"
    module.write_bytes(b"\x7fELF")
    module.chmod(0o777)
    for path, says in ((module, "not the administrator's alone"), (tmp_path / "none.so", "is not there")):
        with pytest.raises(SetupError, match=says):
            open_signer(f"pkcs11:token=hil;object=k?module-path={path}")


SCRIPT = """
import sys, os
import pkcs11
from pkcs11.util.ec import encode_named_curve_parameters
from hil.signing.keys import open_signer
from hil.errors import SetupError

module, pin = sys.argv[1], os.environ["PIN"]
token = pkcs11.lib(module).get_token(token_label="hil")
with token.open(rw=True, user_pin=pin) as session:
    for label, id in (("bench-1", b"\\1"), ("twice", b"\\2"), ("twice", b"\\3")):
        curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("1.3.101.112")}
        parameters = session.create_domain_parameters(pkcs11.KeyType.EC_EDWARDS, curve, local=True)
        how = pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN
        parameters.generate_keypair(mechanism=how, store=True, label=label, id=id)

def attempt(what, pin):
    os.environ["HIL_PIN"] = pin
    try:
        return open_signer(f"pkcs11:{what}?module-path={module}")
    except SetupError as error:
        print("refused:", error)

attempt("token=hil;object=bench-1", "wrong" + pin)
attempt("token=nowhere;object=bench-1", pin)
attempt("token=hil;object=nobody", pin)
attempt("token=hil;object=twice", pin)
signer = attempt("token=hil;object=bench-1", pin)
again = attempt("token=hil;id=%03", pin)
print(signer, again.name)
print(signer.keyid, signer.sign(b"data").hex())
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
with token.open() as session:
    public = session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, label="bench-1")
    public = Ed25519PublicKey.from_public_bytes(bytes(public[pkcs11.Attribute.EC_POINT])[2:])
    public.verify(signer.sign(b"data"), b"data")
print("verified")
"""


@pytest.mark.skipif(
    not MODULE or not shutil.which("softhsm2-util"), reason="SoftHSM2 is not installed: apt install softhsm2"
)
def test_a_key_in_a_token_signs_and_never_leaves_it(tmp_path):
    """A real PKCS#11 module in a process of its own, as it opens once only; each refusal says what is not there."""
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path}/tokens\nobjectstore.backend = file\n")
    environment = {**os.environ, "SOFTHSM2_CONF": str(tmp_path / "softhsm2.conf"), "PIN": PIN}
    init = ["softhsm2-util", "--init-token", "--free", "--label", "hil", "--so-pin", "12345678", "--pin", PIN]
    subprocess.run(init, env=environment, check=True, capture_output=True, timeout=60)
    command = [sys.executable, "-W", "error", "-c", SCRIPT, MODULE]
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parents[2],
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "verified"
    assert done.stdout.count("refused:") == 4
    for says in ("the token hil does not open: PinIncorrect", "the token nowhere, is not there", "is there 2 times"):
        assert says in done.stdout
    assert PIN not in done.stdout + done.stderr
