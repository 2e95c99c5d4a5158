"""The small grammar of role details and chart labels. What is not in it is not understood, and nothing is guessed.

GPIO list    GPIO4 | GPIO4-7 | GPIO15/16 17/18 | GPIO4, 5 and 6 | IO4 IO5 | IO21   (a range only after the first number)
pin on net   PIN -> NET | PIN = NET | PIN : NET | Pin1/2 NET                (PIN: a pin's name, or Pin and a number)
NET          a name ("5V_RELAY", "+5V") | REF collector | REF_COLLECTOR | REF.C     (a pin of another part)
other name   NET (NAME low-side)                                            (both name the same net)
subject      ... for REF collector                                          (what the part is there for)
coil         K1 SET | K1_RESET | RLY2 COIL                                  (not "SET/RESET": that is no one coil)
count        4x THINGS | THINGS x8 | 4 THINGS | RELAY1-4
volts        3V3 | 5V | +3.3V | 12V_MAIN
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

_GPIO = re.compile(r"\b(?:GPIO|IO)[ _]?(\d{1,2})(?!\d)", re.IGNORECASE)
_MORE = re.compile(
    r"(?P<range>\s*(?:-|–|\.\.|to)\s*(?:GPIO|IO)?(?P<to>\d{1,2}))(?![\w])"
    r"|(?P<list>(?:\s*(?:/|,|&|\band\b)\s*(?:GPIO[ _]?|IO_?)?|\s+(?:GPIO|IO)[ _]?)(?P<next>\d{1,2}))(?![\w.])"
    r"|(?P<pair>\s+(?P<first>\d{1,2})/(?P<second>\d{1,2}))(?![\w/])",
    re.IGNORECASE,
)
_PIN_WORDS = {
    "collector": "C", "base": "B", "emitter": "E", "anode": "A", "cathode": "K",
    "gate": "G", "drain": "D", "source": "S",
}  # fmt: skip
_REF_PIN = r"(?P<ref>[A-Z]{1,4}\d+)[ _.](?P<pin>%s|[A-Z]\b)" % "|".join(_PIN_WORDS)  # noqa: UP031 - braces of the pattern
_REF_PIN_AT = re.compile(_REF_PIN, re.IGNORECASE)
_SUBJECT = re.compile(rf"\bfor (?:the )?{_REF_PIN}", re.IGNORECASE)
_NET_AT = re.compile(r"\+?[A-Za-z0-9][\w+./~-]*")
_NUMBERED = re.compile(r"\bpins?[ _]?(?P<pins>\d+(?:\s*[/,&-]\s*\d+)*)\s*(?:->|→|=|:|\s)\s*(?=[+\w])", re.IGNORECASE)
_ALIAS = re.compile(r"\s*\((?P<name>[A-Za-z]\w{0,40}(?:[ _]\w{1,40})??)(?:[ _](?:low[ -]side|net))?\)")
_COIL = re.compile(r"\b(?P<relay>(?:K|RL|RLY|RELAY)\d+)[ _](?P<coil>SET|RESET|COIL)(?![\w/])", re.IGNORECASE)
_VOLTS = re.compile(r"^\+?(\d{1,3})(?:V(\d{1,2})(?=_|$)|\.(\d{1,2})V|V)(?=_|$|DC|IN|\b)", re.IGNORECASE)
_COUNT = re.compile(r"(?<![\w.])(?:(?P<front>\d{1,3})\s?x\b|x\s?(?P<back>\d{1,3})(?!\w))", re.IGNORECASE)
_NUMBERED_NAMES = re.compile(r"^(?P<stem>[A-Za-z]\w*?)(?P<low>\d{1,2})\s*(?:-|–|\.\.)\s*\w*?(?P<high>\d{1,2})$")
_COUNTED = re.compile(r"^(?P<count>\d{1,2})\s*x?\s*(?P<words>[A-Za-z].*)$", re.IGNORECASE)
_LIVE = re.compile(
    r"(?:AC|MAINS)_?(?:[A-Z]+_)*?(?:L\d?|LIVE|LINE|HOT)(?:$|_)|(?:LIVE|LINE|PHASE|HOT)(?:$|_)|L(?:_IN|_OUT|_BUS|$)"
)
_NEUTRAL = re.compile(r"(?:AC|MAINS)_?(?:[A-Z]+_)*?(?:N|NEUTRAL)(?:$|_)|NEUTRAL(?:$|_)|N(?:_IN|_OUT|_BUS|$)")
_HIGHEST_GPIO = 63


@dataclass(frozen=True, slots=True)
class GpioList:
    """GPIO numbers named in a text, with the words around them."""

    gpios: tuple[int, ...]
    before: str
    after: str
    start: int
    end: int


def gpio_lists(text: str) -> Iterator[GpioList]:
    """Every GPIO list in a text, in order; `before` reaches back to the list before, `after` to the next or the end."""
    spans: list[tuple[int, int, tuple[int, ...]]] = []
    at = 0
    while (first := _GPIO.search(text, at)) is not None:
        numbers = [int(first[1])]
        at = first.end()
        while (more := _MORE.match(text, at)) is not None:
            if more["range"]:
                if int(more["to"]) <= numbers[-1]:
                    break
                numbers += range(numbers[-1] + 1, int(more["to"]) + 1)
            elif more["list"]:
                numbers.append(int(more["next"]))
            else:
                numbers += [int(more["first"]), int(more["second"])]
            at = more.end()
        known = tuple(dict.fromkeys(number for number in numbers if number <= _HIGHEST_GPIO))
        if known:
            spans.append((first.start(), at, known))
    for number, (start, end, gpios) in enumerate(spans):
        before = text[spans[number - 1][1] if number else 0 : start]
        after = text[end : spans[number + 1][0] if number + 1 < len(spans) else len(text)]
        yield GpioList(gpios, before.strip(), after.strip(), start, end)


@dataclass(frozen=True, slots=True)
class PinOnNet:
    """A pin said to be on a net. `alias`: another name of that net, or empty. `switched`: "low-side" is said."""

    pin: str
    net: str
    alias: str
    switched: bool


def net_at(text: str, at: int, refs: Collection[str]) -> tuple[str, int]:
    """The canonical name of the net that begins at `at` ("Q9.C", "5V_RELAY") and where it ends; empty where none."""
    pin = _REF_PIN_AT.match(text, at)
    if pin is not None and pin["ref"].upper() in refs:
        return _canonical(pin), pin.end()
    name = _NET_AT.match(text, at)
    if name is None:
        return "", at
    return name.group().rstrip(".-/").upper(), name.end()


def pins_on_nets(details: str, pins: Collection[str], refs: Collection[str]) -> Iterator[PinOnNet]:
    """Every "pin on net" of a part's details; `pins` are its pins' names, `refs` the designators of the document."""
    found: list[tuple[int, tuple[str, ...], int]] = []
    for match in _NUMBERED.finditer(details):
        numbers = re.split(r"\s*[/,&]\s*", match["pins"])
        found.append((match.start(), tuple(_spread(numbers)), match.end()))
    names = sorted((re.escape(pin) for pin in pins if pin.strip("~ +-") or pin in "+-"), key=len, reverse=True)
    if names:
        named = re.compile(rf"(?<![\w.+~-])(?P<pin>{'|'.join(names)})\s*(?:->|→|=)\s*(?=[+\w])")
        found += [(match.start(), (match["pin"],), match.end()) for match in named.finditer(details)]
    taken = -1
    for start, numbered, at in sorted(found):
        if start < taken:
            continue
        net, end = net_at(details, at, refs)
        if not net:
            continue
        taken = end
        alias = _ALIAS.match(details, end)
        name = re.sub(r"\s+", "_", alias["name"]).upper() if alias else ""
        rest = re.split("[,;]", details[end : end + 40], maxsplit=1)[0]
        switched = bool(re.search(r"low[ -]side", rest, re.IGNORECASE))
        for pin in numbered:
            yield PinOnNet(pin, net, name, switched)


def _spread(numbers: list[str]) -> Iterator[str]:
    for item in numbers:
        low, _, high = item.partition("-")
        yield from (str(number) for number in range(int(low), min(int(high or low), int(low) + 99) + 1))


def subject(details: str, refs: Collection[str]) -> str:
    """The pin a part is said to be there for ("connector for Q9 collector": "Q9.C"); empty where none is."""
    match = _SUBJECT.search(details)
    if match is None or match["ref"].upper() not in refs:
        return ""
    return _canonical(match)


def _canonical(match: re.Match[str]) -> str:
    return f"{match['ref'].upper()}.{_PIN_WORDS.get(match['pin'].lower(), match['pin'].upper())}"


def coil_names(text: str) -> tuple[tuple[str, str], ...]:
    """Every relay coil a text names, as (relay, coil): ("K1", "SET"), each once."""
    return tuple(dict.fromkeys((match["relay"].upper(), match["coil"].upper()) for match in _COIL.finditer(text)))


def count(text: str) -> int:
    """How many a label says there are: "4x Relay", "Relay x8"; 1 where it does not say."""
    match = _COUNT.search(text)
    return int(match["front"] or match["back"]) if match else 1


def volts(name: str) -> float | None:
    """The nominal voltage in a net's name, in volts: "3V3_MAIN" 3.3, "+5V" 5; None where there is none."""
    match = _VOLTS.match(name)
    if match is None:
        return None
    return float(f"{match[1]}.{match[2] or match[3] or 0}")


def net_kind(name: str) -> str:
    """What a net is by its name: ground, earth, live, neutral, supply, or signal."""
    upper = name.upper()
    if re.search(r"(?:^|_)[ADP]?GND(?:$|_|\d)|^V(?:SS|EE)|^0V", upper):
        return "ground"
    if re.match(r"(?:EARTH|PE|CHASSIS)(?:$|_)", upper):
        return "earth"
    if _LIVE.match(upper):
        return "live"
    if _NEUTRAL.match(upper):
        return "neutral"
    if volts(upper) is not None or re.match(r"\+?V(?:CC|DD|BUS|IN|SYS|BAT|REG)\w*(?:$|_)", upper):
        return "supply"
    return "signal"


def carried(text: str) -> Iterator[tuple[str, int]]:
    """What a connector is said to carry without pin numbers: ("SPI bus", 1), ("CS", 4), ("power", 1), ("ground", 2)."""
    for item in re.split(r"\s\+\s|,|;|/|\band\b", text):
        words = item.strip().strip(".")
        if not words:
            continue
        if names := _NUMBERED_NAMES.match(words):
            yield names["stem"], abs(int(names["high"]) - int(names["low"])) + 1
        elif (counted := _COUNTED.match(words)) and not re.match(r"\d+V", words, re.IGNORECASE):
            yield counted["words"], int(counted["count"])
        else:
            yield words, 1
