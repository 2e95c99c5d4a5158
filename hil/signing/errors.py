"""What is wrong with a signature: the record says it, not the bench or the unit."""

from __future__ import annotations

from hil.errors import HilError


class SignatureBad(HilError):
    """What is signed is not what it says it is; `where` names the file."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(where, why)
        self.where, self.why = where, why

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"


class UnknownKey(SignatureBad):
    """A key signed that nobody here trusts, so nothing can be said of the signature."""

    def __init__(self, where: str, keyid: str, what: str = "key") -> None:
        super().__init__(
            where, f"signed by an unknown {what}, {short(keyid)}; if you know whose it is: 'hil keys trust FILE'"
        )
        self.args = (where, keyid, what)
        self.keyid, self.what = keyid, what


def short(keyid: str) -> str:
    """Return a fingerprint of 64 hexadecimal digits as a line of text has room for it."""
    return f"{keyid[:16]}..."
