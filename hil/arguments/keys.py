"""hil keys: what a person may type behind it."""

from __future__ import annotations

from typing import Any

from hil.arguments.common import add_command, add_stations


def add(commands: Any) -> None:
    """Add the arguments."""
    keys = commands.add_parser(
        "keys", help="make keys that sign records, and say whose are believed", epilog="example: hil keys new bench-1"
    )
    actions = keys.add_subparsers(metavar="ACTION", required=True, dest="action")
    what = "make a key that signs records (Ed25519), or one for PDFs with its certificate"
    new = add_command(actions, "new", "keys", what, "hil keys new bench-1")
    new.add_argument("name", metavar="NAME", help="its name: NAME.key is the secret, NAME.pub is shown to others")
    new.add_argument("--folder", default="keys", metavar="DIR", help="where to (default: keys)")
    new.add_argument("--no-passphrase", action="store_true", help="leave the secret open to whoever can copy its file")
    new.add_argument(
        "--passphrase-file", default="", metavar="FILE", help="default: HIL_PASSPHRASE, or it is asked for, twice"
    )
    new.add_argument(
        "--certificate",
        default="",
        metavar="WHOSE",
        help="'Common Name, Organisation': a P-256 key for PDFs, and a certificate that vouches for itself, for trials",
    )
    listing = add_command(actions, "list", "keys", "list whom this bench believes, with fingerprints", "hil keys list")
    what = "believe what a key has signed, or a PDF's certificate, from now on"
    trust = add_command(actions, "trust", "keys", what, "hil keys trust bench-1.pub")
    trust.add_argument("file", metavar="FILE", help="the public key (.pub) or the certificate (.pem)")
    trust.add_argument("--name", default="", metavar="NAME", help="under which name (default: the file's)")
    trust.add_argument(
        "--folder", default="", metavar="DIR", help="of trusted keys (default: trusted_keys beside stations.toml)"
    )
    for command in (listing, trust):
        add_stations(command)
