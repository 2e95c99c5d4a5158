"""Ask for a passphrase or a PIN: a file, the environment, or a person at a terminal. Never an argument: those are seen.

What is returned is a secret: nothing here, and nobody who calls it, prints it or puts it into an error.
"""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

from hil.errors import SetupError
from hil.signing.files import read_secret

PASSPHRASE, PIN = "HIL_PASSPHRASE", "HIL_PIN"
# PKCS#8 as OpenSSL writes it stretches a passphrase 2048-fold only, so the passphrase itself has to be long
SHORTEST = 16  # characters


def find_secret(what: str, variable: str, file: str = "") -> bytes:
    """Return the secret that `what` asks for, from the file, else the variable, else a terminal. Raises SetupError."""
    if file:
        return _first_line(read_secret(Path(file), f"the file with {what}"))
    if said := os.environ.get(variable):
        return os.fsencode(said)
    if not sys.stdin.isatty():
        raise SetupError(f"{what} is needed, and nobody can be asked", f"name a file with it, or set {variable}")
    return getpass.getpass(f"{what}: ").encode()


def new_passphrase(name: str, file: str = "") -> bytes:
    """Return a passphrase for a new key, typed twice by a person; raises SetupError for one that is too short."""
    typed = not file and not os.environ.get(PASSPHRASE)
    passphrase = find_secret(f"the passphrase of the new key {name}", PASSPHRASE, file)
    long_enough = len(passphrase.decode("utf-8", "replace")) >= SHORTEST
    again = find_secret("the same again", PASSPHRASE) if typed and long_enough else passphrase
    same = passphrase == again
    if not long_enough:
        del passphrase, again
        raise SetupError(f"the passphrase has fewer than {SHORTEST} characters", "take four words or more")
    if not same:
        del passphrase, again
        raise SetupError("the two passphrases differ", "type it again")
    return passphrase


def _first_line(raw: bytes) -> bytes:
    return raw.split(b"\n", 1)[0].rstrip(b"\r")
