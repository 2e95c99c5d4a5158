"""hil keys: make keys, list whom this bench believes, believe one more."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from hil.errors import SetupError
from hil.names import PLAIN_NAME, one_line
from hil.signing.files import check_folder, read_public, write_new
from hil.signing.trusted import CERTIFICATE, FOLDER, KEY, load_trusted, read_certificate, read_key
from hil.station.config import find_stations_file
from hil.station.trusted_folders import trusted_folders


def run(asked: argparse.Namespace) -> int:
    """Do what was asked and say what came of it."""
    return {"new": _new, "list": _list, "trust": _trust}[asked.action](asked)


def _new(asked: argparse.Namespace) -> int:
    from hil.signing.keys import new_key
    from hil.signing.passphrase import new_passphrase

    folder = Path(asked.folder)
    passphrase = None if asked.no_passphrase else new_passphrase(asked.name, asked.passphrase_file)
    if asked.certificate:
        from hil.signing.self_signed import new_certificate

        private, public = new_certificate(folder, asked.name, asked.certificate, passphrase)
        fingerprint = read_certificate(public).fingerprint
    else:
        private, public = new_key(folder, asked.name, passphrase)
        fingerprint = read_key(public).keyid
    if asked.json:
        said = {"private": str(private), "public": str(public), "fingerprint": fingerprint}
        print(json.dumps(said | {"encrypted": passphrase is not None}, indent=1))
        return 0
    open_to = "" if passphrase else ", WITHOUT a passphrase: whoever can copy it can sign"
    print(one_line(f"{private}: keep it to yourself{open_to}"))
    print(one_line(f"{public}: give it to whoever shall believe it ('hil keys trust {public}')"))
    print(f"fingerprint {fingerprint}")
    return 0


def _list(asked: argparse.Namespace) -> int:
    places = trusted_folders(find_stations_file(Path(asked.stations)))
    trusted = load_trusted(*places)
    rows = [
        {"name": one.name, "kind": "key", "fingerprint": one.keyid, "file": str(one.path)}
        for one in trusted.keys.values()
    ]
    rows += [
        {"name": one.name, "kind": "certificate", "fingerprint": one.fingerprint, "file": str(one.path)}
        for one in trusted.certificates
    ]
    if asked.json:
        print(json.dumps(rows, indent=1))
        return 0
    for row in rows:
        print(one_line(f"{row['name']}  {row['kind']}  {row['fingerprint']}  {row['file']}"))
    if not rows:
        print(one_line(f"nobody is trusted: there is no key in {' or '.join(map(str, places))}; 'hil keys trust FILE'"))
    return 0


def _trust(asked: argparse.Namespace) -> int:
    file = Path(asked.file)
    if file.suffix not in {KEY, CERTIFICATE}:
        raise SetupError(f"{file} is neither a public key (.pub) nor a certificate (.pem)", "'hil keys new' makes both")
    name = asked.name or file.stem
    if not PLAIN_NAME.fullmatch(name):
        raise SetupError(f"{name!r} cannot name a key", "give --name: up to 64 letters, digits, '.', '_' and '-'")
    fingerprint = read_key(file).keyid if file.suffix == KEY else read_certificate(file).fingerprint
    folder = find_stations_file(Path(asked.stations)).parent / FOLDER if not asked.folder else Path(asked.folder)
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"{folder} cannot be made: {error.strerror}", "name another with --folder") from error
    check_folder(folder, "the folder of trusted keys")
    target = folder / f"{name}{file.suffix}"
    write_new(target, read_public(file, "the file"), 0o644)
    if asked.json:
        print(json.dumps({"name": name, "fingerprint": fingerprint, "file": str(target)}, indent=1))
        return 0
    print(one_line(f"{target}: trusted from now on, as {name}"))
    print(f"fingerprint {fingerprint}: compare it with what its owner tells you")
    return 0
