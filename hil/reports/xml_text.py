"""Text for XML: what it cannot carry is replaced, what acts on a terminal is spelled out."""

from __future__ import annotations

import re

from hil.names import printable

# XML 1.0, 2.2: characters that no escape can carry
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: object) -> str:
    """Return text that any XML reader takes, and that does nothing to a console: no broken console breaks CI."""
    return printable(_FORBIDDEN.sub("\ufffd", str(text)))
