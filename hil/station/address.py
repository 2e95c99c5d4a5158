"""Resource strings that mean the same instrument."""

from __future__ import annotations

import re


def same_address(resource: str) -> str:
    """Bring resource strings that mean the same to one spelling: board 0, inst0 and INSTR may be left out."""
    text = re.sub(r"^(TCPIP|USB|GPIB)::", r"\g<1>0::", resource.strip(), flags=re.IGNORECASE).casefold()
    text = text.removesuffix("::instr")
    return text.removesuffix("::inst0") if text.startswith("tcpip") else text
