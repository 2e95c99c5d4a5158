"""Envelopes: one spelling, one signature, of the key they name; whatever else is refused."""

import base64
import json

import pytest

from hil.signing.canonical import canonical, read_canonical
from hil.signing.dsse import open_envelope, pae, seal
from hil.signing.errors import SignatureBad, UnknownKey
from hil.signing.keys import new_key, open_signer
from hil.signing.statement import PAYLOAD_TYPE, read, write
from hil.signing.trusted import load_trusted

PAYLOAD = write(
    {"manifest.json": "ab" * 32, "journal.jsonl": "cd" * 32},
    "PASSED",
    [{"name": "plan.toml", "digest": {"sha256": "ef" * 32}}],
    {"passed": ["t1"], "failed": []},
    {"serial": "SP-000123"},
)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Two keys that are trusted here, and one that is not."""
    folder = tmp_path_factory.mktemp("keys")
    folder.chmod(0o700)
    signers = {}
    for name, place in (("ours", "trusted"), ("other", "trusted"), ("stranger", "elsewhere")):
        signers[name] = open_signer(str(new_key(folder / place, name, None)[0]))
    return signers, load_trusted(folder / "trusted").keys


@pytest.fixture
def raw(keys):
    return seal(PAYLOAD_TYPE, PAYLOAD, keys[0]["ours"])


def check(raw, keys):
    return open_envelope(raw, "e", PAYLOAD_TYPE).check(keys[1])


def test_the_pre_authentication_encoding_is_that_of_the_specification():
    """The example of DSSE v1.0.0, protocol.md: a type of 29 bytes and a body of 11."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_an_envelope_is_what_others_read_too(raw, keys):
    """The fields of DSSE and in-toto, signed with Ed25519 over the encoding; made twice it is the same."""
    data = json.loads(raw)
    payload = base64.b64decode(data["payload"])
    statement = json.loads(payload)
    (signature,) = data["signatures"]
    signed = b"DSSEv1 %d %b %d %b" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
    keys[1][signature["keyid"]].public.verify(base64.b64decode(signature["sig"]), signed)

    assert data["payloadType"] == "application/vnd.in-toto+json"
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert statement["predicate"]["result"] == "PASSED"
    assert {one["name"]: one["digest"]["sha256"] for one in statement["subject"]} == {
        "manifest.json": "ab" * 32,
        "journal.jsonl": "cd" * 32,
    }
    assert seal(PAYLOAD_TYPE, PAYLOAD, keys[0]["ours"]) == raw
    assert check(raw, keys).name == "ours"


def changed(raw, **changes):
    return canonical({**json.loads(raw), **changes})


def resigned(raw, **changes):
    (signature,) = json.loads(raw)["signatures"]
    return changed(raw, signatures=[{**signature, **changes}])


def test_no_byte_can_be_changed_removed_or_added(raw, keys):
    """Every byte, once to its neighbour, once left out, once doubled."""
    caught = 0
    for place in range(len(raw)):
        byte = raw[place : place + 1]
        for other in (bytes([byte[0] ^ 1]), b"", byte * 2, b" " + byte):
            with pytest.raises(SignatureBad):
                check(raw[:place] + other + raw[place + 1 :], keys)
            caught += 1

    assert caught == 4 * len(raw)


def test_an_unknown_key_is_told_from_a_bad_signature(raw, keys):
    """Somebody else's envelope says whose key it names; a key's name on another's signature is a bad signature."""
    stranger = seal(PAYLOAD_TYPE, PAYLOAD, keys[0]["stranger"])
    with pytest.raises(UnknownKey, match="signed by an unknown key"):
        check(stranger, keys)
    with pytest.raises(SignatureBad, match="not that of the key 'other'"):
        check(resigned(raw, keyid=keys[0]["other"].keyid), keys)
    with pytest.raises(SignatureBad, match="not that of the key 'ours'"):
        check(resigned(stranger, keyid=keys[0]["ours"].keyid), keys)


def test_exactly_one_signature_is_wanted(raw, keys):
    """None, one more of a stranger, the same twice, one more of a key that is trusted."""
    (mine,) = json.loads(raw)["signatures"]
    (strange,) = json.loads(seal(PAYLOAD_TYPE, PAYLOAD, keys[0]["stranger"]))["signatures"]
    (second,) = json.loads(seal(PAYLOAD_TYPE, PAYLOAD, keys[0]["other"]))["signatures"]
    for signatures in ([], [mine, strange], [strange, mine], [mine, mine], [mine, second], {}, None):
        with pytest.raises(SignatureBad, match="not exactly one signature"):
            check(changed(raw, signatures=signatures), keys)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda raw: raw[:-1], "spelling"),
        (lambda raw: raw + b"\n", "spelling"),
        (lambda raw: json.dumps(json.loads(raw), indent=1).encode(), "spelling"),
        (lambda raw: raw.replace(b'{"payload":', b'{"payload":"","payload":', 1), "spelling"),
        (lambda raw: raw.replace(b"application", b"\\u0061pplication", 1), "spelling"),
        (lambda raw: changed(raw, note="x"), "nothing else"),
        (lambda raw: resigned(raw, note="x"), "nothing else"),
        (lambda raw: changed(raw, payloadType="text/plain"), "no application/vnd.in-toto"),
        (lambda raw: changed(raw, payload=3), "base64"),
        (lambda raw: resigned(raw, sig=""), "0 bytes, not 64"),
        (lambda raw: resigned(raw, keyid=None), "no text"),
        (lambda raw: b"[" * 100_000, "no signed envelope"),
        (lambda raw: b"\xff", "no signed envelope"),
        (lambda raw: b"", "no signed envelope"),
        (lambda raw: b"3\n", "nothing else"),
    ],
)
def test_another_spelling_is_another_envelope(raw, keys, change, says):
    """Blanks, keys that stand twice, escapes, fields of its own, other types: nothing that JSON would forgive."""
    with pytest.raises(SignatureBad, match=says):
        check(change(raw), keys)


def test_base64_has_one_spelling(raw, keys):
    """The last character of 64 bytes carries four bits that mean nothing; blanks and other alphabets do no better."""
    (signature,) = json.loads(raw)["signatures"]
    sig = signature["sig"]
    assert sig.endswith("==")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = sig[:-3] + alphabet[alphabet.index(sig[-3]) ^ 1] + "=="
    assert base64.b64decode(twin) == base64.b64decode(sig)

    for other in (twin, sig[:-2], sig + "=", sig + "\n", " " + sig, sig.replace("+", "-").replace("/", "_") + "_"):
        with pytest.raises(SignatureBad, match="base64"):
            check(resigned(raw, sig=other), keys)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"test-result/v0.1", b"test-result/v9.9", "something else"),
        (b'"PASSED"', b'"PERHAPS"', "its result is none"),
        (b"ab" * 32, b"AB" * 32, "a digest in it is none"),
        (b'"name":"manifest.json"', b'"name":"journal.jsonl"', "twice"),
        (b'"subject":', b'"subjects":', "no statement"),
        (b",", b", ", "spelling"),
    ],
)
def test_a_signed_statement_of_another_kind_says_nothing_of_a_run(old, new, says):
    """A key may sign other things too: firmware, releases."""
    assert read(PAYLOAD, "e").subjects["journal.jsonl"] == "cd" * 32
    with pytest.raises(SignatureBad, match=says):
        read(PAYLOAD.replace(old, new), "e")


def test_canonical_json_has_no_numbers_that_are_none():
    """NaN would be no JSON; 1.0 and 1 are not the same text."""
    with pytest.raises(ValueError, match="JSON"):
        canonical(float("nan"))
    with pytest.raises(ValueError, match="spelling"):
        read_canonical(b"1.00\n")
    assert read_canonical(b'{"a":1.5}\n') == {"a": 1.5}
