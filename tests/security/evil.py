"""Text that does something wherever it is not taken for text."""

from __future__ import annotations

import re

HTML = (
    """<script>alert(1)</script>"><img src=x onerror=alert(1)>' onmouseover='alert(1)' ]]> --> </style></title></svg>"""
)
TERMINAL = "\x00\x07\x08\x1b[31m\x1b]0;owned\x07\x9b2J\x7f\r\n\x85\u2028"
UNSEEN = "\u202eevil\u2066\u200b\ufeff\U000e0041"
TEMPLATE = "{{7*7}}{%raw%}${7*7}#{7*7}&#x202e;\\22 javascript:alert(1)"
FORMULA = "=cmd|' /C calc'!A0"
ALL = f"{UNSEEN}{HTML}{TERMINAL}{TEMPLATE}{FORMULA}"

# a newline and a tab are no danger in a file; on a terminal line they are
ACTS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)
