"""[signing] in stations.toml: paths from its folder on, mistakes with their line, whom to trust in spite of others."""

from pathlib import Path

import pytest

from hil.errors import SetupError
from hil.station import signing_table
from hil.station.config import StationsInvalid, load_stations
from hil.station.trusted_folders import trusted_folders

SHIPPED = Path(__file__).parents[2] / "stations.toml"
AFTER = 'operator = "nobody: all of it is simulated"\n'
TOKEN = "pkcs11:token=hil;object=bench-1?module-path=/usr/lib/softhsm/libsofthsm2.so"


def written(folder, table):
    text = SHIPPED.read_text(encoding="utf-8")
    assert AFTER in text
    path = folder / "stations.toml"
    path.write_text(text.replace(AFTER, f"{AFTER}signing = {{ {table} }}\n", 1), encoding="utf-8")
    return path


def test_a_station_signs_nothing_unless_it_says_so():
    """As shipped: neither the simulated station nor the example has a key."""
    assert all(station.signing is None for station in load_stations(SHIPPED).values())


def test_paths_are_from_the_file_s_folder_on(tmp_path):
    """Wherever a command is started; a token has no path; keys that are trusted lie beside the file by default."""
    file = written(tmp_path, 'key = "keys/a.key", pdf_key = "/etc/pdf.key", pdf_certificate = "keys/pdf.pem"')
    signing = load_stations(file)["sim"].signing

    assert signing is not None
    assert (signing.key, signing.pdf_key) == (f"{tmp_path}/keys/a.key", "/etc/pdf.key")
    assert signing.pdf_certificate == f"{tmp_path}/keys/pdf.pem"
    assert signing.trusted == tmp_path / "trusted_keys"
    token = load_stations(written(tmp_path, f'key = "{TOKEN}"'))["sim"].signing
    assert token is not None
    assert (token.key, token.pdf_key) == (TOKEN, "")


def test_a_mistake_is_named_with_its_line(tmp_path):
    """As everything else in the file is; a PIN is not repeated."""
    pin = 'kee = "a", key = "pkcs11:token=a;object=b?module-path=/l.so&pin-value=1234", trusted = 3'
    with pytest.raises(StationsInvalid) as caught:
        load_stations(written(tmp_path, pin))
    line = SHIPPED.read_text(encoding="utf-8").partition(AFTER)[0].count("\n") + 2
    said = {one.key.removeprefix("stations.sim.signing."): str(one) for one in caught.value.mistakes}

    assert {one.line for one in caught.value.mistakes} == {line}
    assert said["kee"].endswith("there is no such key; did you mean 'key'?")
    assert "a PIN stands in the pkcs11: URI" in said["key"]
    assert "text in double quotes is wanted here" in said["trusted"]
    assert "1234" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "path", "says"),
    [
        ({"pdf_key": "a"}, "pdf_key", "pdf_certificate is missing beside it"),
        ({"pdf_certificate": "a"}, "pdf_certificate", "pdf_key is missing beside it"),
        ({"key": "pkcs11:token=a"}, "key", "names no module-path"),
        ({"pdf_key": "pkcs11:x", "pdf_certificate": "c"}, "pdf_key", "with a key in a file only"),
    ],
)
def test_what_contradicts_itself_is_named(table, path, says):
    """One without the other, a token without a module."""
    ((where, what, _),) = signing_table.flaws(table)

    assert where == ("signing", path)
    assert says in what


def test_a_mistake_elsewhere_keeps_nobody_from_checking_a_signature(tmp_path):
    """Only text that is no TOML at all does."""
    file = tmp_path / "stations.toml"
    beside = tmp_path / "trusted_keys"
    assert trusted_folders(file) == [beside]
    file.write_text('[stations.x]\nslots = "none"\nsigning = { trusted = "ours" }\n[stations.y]\n')
    assert trusted_folders(file) == [beside, tmp_path / "ours"]
    for text in ("[stations", 'stations = "x"', "[stations]\nx = 3"):
        file.write_text(text)
        with pytest.raises(SetupError, match="nobody can say who is trusted"):
            trusted_folders(file)
