"""Secrets out of what a unit says, before a log or an error keeps it: every value becomes ***.

Known shapes, in any case of letters; a secret's name is one of NAMES, alone or at the end of a longer one
(wifi.sta.pass, WIFI_PASSWORD, mqttPwd):

    password: hunter2        psk=hunter2          pass -> "hunter2"       --token hunter2      password is hunter2
    SSID:bench password:x    ssid/pass: bench/x   "pass":"x"              {\"pass\":\"x\"}     {'psk': ['x', 'y']}
    wifi connect password "x"                     set wifi.sta.pass to x  key 'sta.pswd' value 'x'
    Authorization: Basic x   Bearer x             Cookie: x               eyJx.eyJx.x (a JWT)
    mqtt://user:x@host       ?token=x&...         WIFI:S:bench;P:x;;      AT+CWJAP="bench","x"
    -----BEGIN PRIVATE KEY----- ... -----END PRIVATE KEY-----, over as many lines as it takes

A value without quotes ends with its line: nobody can tell a space in a pass phrase from the one behind it. What is no
secret may be lost with it; what is one is not kept. What has been sent as a secret is known, and is taken out wherever
the unit repeats it (Redactor.learn).
"""

from __future__ import annotations

import json
import re
from typing import Any

MASK = "***"
LEAST_LEARNT = 4  # characters: shorter ones are in every other word

_KINDS_OF_KEY = (
    "api|secret|private|access|auth|encryption|encrypt|enc|aes|hmac|wpa2?|wpa3|wep|wi-?fi|network|pre-?shared|shared|"
    "master|session|signing|license|device|storage"
)
_BEFORE = r"[\w.\-]{0,64}"  # bounded, so that no line makes the search slow
NAMES = (
    rf"(?:{_BEFORE}(?:passwords?|passwd|passphrase|passcode|pswd|pwd|psk|pmk|secrets?|tokens?|credentials?)"
    rf"|(?:{_BEFORE}[\d_.\-])?pass|(?:wifi|wlan|sta|ap|user|mqtt|admin|http|ota|root)pass"
    rf"|{_BEFORE}(?:{_KINDS_OF_KEY})[_\-. ]?keys?|ha1|pin[_-]?code|pairing[_-]?code)(?:[_-]?\d{{1,2}})?"
)
_NAME = rf"(?<![A-Za-z0-9]){NAMES}"
_CAMEL_PASS = r"(?<=[a-z0-9])(?-i:Pass)"
_KEY = re.compile(rf"(?:{_NAME}|{_CAMEL_PASS})(?:\\*[\"'`])?(?![A-Za-z0-9_\-.])", re.IGNORECASE)
_KNOWN_NAME = re.compile(rf"{NAMES}|[\w.\-]*(?-i:[a-z0-9]Pass)|pop", re.IGNORECASE)
_JSON_ONLY = re.compile(r"""(\\*["'])(?:pop|auth_response)\1(?=\s*:)""", re.IGNORECASE)
_SEPARATOR = re.compile(r"(?:\s*(?::=|=>|->|[:=])\s*|\s+(?=\\*[\"'`]))")
_WORDS = re.compile(
    r"\s+(?:is|was|to|set to|changed to|value|val)(?:\s*[:=]\s*|\s+)"
    r"(?!(?:not|wrong|invalid|empty|too|required|missing|incorrect|set|ok|correct|expired|accepted|unset|be)\b)",
    re.IGNORECASE,
)
_VALUE_OF = re.compile(r"[,;]?\s*\(?\\*[\"'`]?val(?:ue)?\\*[\"'`]?\s*[:=]?\s*", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_JSON_WORD = re.compile(r"(?:true|false|null|-?\d+(?:\.\d+)?)(?=\s*[,}\]])")
_JSON_COLON = re.compile(r"[\"']\s*:\s*$")
_QUOTE = re.compile(r"(\\*)([\"'`])")
_AFTER_A_VALUE = re.compile(r"\s|[,;:)\]}>|&]|$|\\+[\"'nrt]|[\"'`]")
_QUERY_VALUE = re.compile(r"[^&\s#\"']*")

_PEM_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
_PEM_END = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY-----")
_WHOLE = (  # (pattern, what stays): one secret each
    (re.compile(r"\b((?:proxy-)?authorization|(?:set-)?cookie|x-[\w\-]*(?:key|token|auth))(\\*[\"']?\s*[:=]\s*)(?=\S).*",
                re.IGNORECASE), rf"\1\2{MASK}"),
    (re.compile(r"\b(bearer\s+)(?!\*\*\*)[\w.~+/=\-]{8,}", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"\beyJ[\w\-]+\.eyJ[\w\-]+(?:\.[\w\-]*)?"), MASK),
    (re.compile(r"(\b[a-z][a-z0-9+.\-]*://[^\s/:@\"']*:)[^\s/]+@", re.IGNORECASE), rf"\1{MASK}@"),
    (re.compile(r"(\bWIFI:(?:.*;)?P:)(?:[^;\\]|\\.)*"), rf"\1{MASK}"),
    (re.compile(r"(\+CW(?:JAP|SAP)\w*=\s*\"[^\"]*\"\s*,\s*).*", re.IGNORECASE), rf"\1{MASK}"),
)  # fmt: skip
_UNFINISHED = re.compile(rf"(?:{_NAME})\\*[\"'`]?\s*(?::=|=>|->|[:=])\s*$", re.IGNORECASE)
_LOG_LINE = re.compile(r"[EWIDV] \(\d+\) |ESP-ROM:|rst:0x")


def redact(text: str) -> str:
    """Return text without the secrets in it; several lines are taken as lines of one log."""
    redactor = Redactor()
    return "".join(redactor.line(line) for line in text.splitlines(keepends=True))


def is_secret_name(name: str) -> bool:
    """Return whether what goes by this name is a secret."""
    return bool(_KNOWN_NAME.fullmatch(name))


class Redactor:
    """Takes secrets out of a log, line by line: it remembers a key that began, a name whose value is yet to come."""

    def __init__(self) -> None:
        self._in_pem = self._awaits_value = False
        self._learnt: set[str] = set()

    def learn(self, message: Any) -> None:
        """Remember the secrets in a message that is sent or received, by their names."""
        if isinstance(message, dict):
            for name, value in message.items():
                if is_secret_name(str(name)):
                    self._learn_all(value)
                else:
                    self.learn(value)
        elif isinstance(message, list):
            for value in message:
                self.learn(value)

    def line(self, text: str) -> str:
        """Return one line, with or without its end, without secrets."""
        body = text.rstrip("\r\n")
        end = text[len(body) :]
        if self._awaits_value and body.strip():
            self._awaits_value = False
            if not _LOG_LINE.match(body):
                return MASK + end
        body = self._without_keys(body)
        for secret in sorted(self._learnt, key=len, reverse=True):
            body = body.replace(secret, MASK)
        for pattern, stays in _WHOLE:
            body = pattern.sub(stays, body)
        self._awaits_value = self._awaits_value or bool(_UNFINISHED.search(body))
        return _without_values(body) + end

    def _learn_all(self, value: Any) -> None:
        if isinstance(value, str) and len(value) >= LEAST_LEARNT:
            self._learnt |= {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
        elif isinstance(value, dict | list):
            for inner in value.values() if isinstance(value, dict) else value:
                self._learn_all(inner)

    def _without_keys(self, text: str) -> str:
        """Take private keys out; one may have begun lines before, and may end lines later."""
        out = ""
        while text:
            if self._in_pem:
                end = _PEM_END.search(text)
                if not end:
                    return out
                out, text, self._in_pem = out + end[0], text[end.end() :], False
            begin = _PEM_BEGIN.search(text)
            if not begin:
                return out + text
            out, text, self._in_pem = out + text[: begin.end()] + MASK, text[begin.end() :], True
        return out


def _without_values(text: str) -> str:
    """Mask the value behind each name of a secret."""
    out, at = "", 0
    while found := _next_key(text, at):
        begin = _value_begins(text, found)
        if begin is None:
            out, at = out + text[at : found.end()], found.end()
            continue
        keep, end = _value(text, begin, in_query=text[: found.start()].endswith(("?", "&")))
        out, at = out + text[at:begin] + keep, end
    return out + text[at:]


def _next_key(text: str, at: int) -> re.Match[str] | None:
    found = [match for pattern in (_KEY, _JSON_ONLY) if (match := pattern.search(text, at))]
    return min(found, key=lambda match: match.start()) if found else None


def _value_begins(text: str, key: re.Match[str]) -> int | None:
    """Return where the value behind a name begins, or None where the name has none."""
    dashes = text[: key.start()].endswith("--") or key[0].startswith("--")
    shapes = (_SEPARATOR, _WORDS, _VALUE_OF, *((_SPACE,) if dashes else ()))
    separator = next((match for shape in shapes if (match := shape.match(text, key.end()))), None)
    if separator is None or separator.end() == len(text):
        return None
    return int(separator.end())


def _value(text: str, begin: int, in_query: bool) -> tuple[str, int]:
    """Return what to put in a value's place, and where it ends."""
    if in_query and (query := _QUERY_VALUE.match(text, begin)):
        return MASK, query.end()
    quote = _QUOTE.match(text, begin)
    if quote:
        end = _closing(text, quote)
        return (quote[0] + MASK + quote[0], end) if end else (quote[0] + MASK, len(text))
    if text[begin] in "{[":
        try:
            return MASK, int(json.JSONDecoder().raw_decode(text, begin)[1])
        except (ValueError, RecursionError):
            return MASK, len(text)
    word = _JSON_WORD.match(text, begin)
    if word and _JSON_COLON.search(text, max(0, begin - 8), begin):
        return MASK, word.end()
    return MASK, len(text)


def _closing(text: str, opening: re.Match[str]) -> int | None:
    """Return the end of a quoted text; quotes in it may be escaped as often as the quote that opens it is, and more."""
    levels, quote = (len(opening[1]) + 1).bit_length() - 1, opening[2]
    for match in re.compile(rf"(\\*){quote}").finditer(text, opening.end()):
        slashes = len(match[1])
        for _ in range(levels):
            if slashes % 2 == 0:
                return int(match.end())  # it ends what surrounds the value, and the value with it
            slashes //= 2
        if slashes % 2 == 0 and _AFTER_A_VALUE.match(text, match.end()):
            return match.end()
    return None
