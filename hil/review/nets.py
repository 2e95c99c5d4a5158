"""Nets of a board: pins that details place on nets, the chart's nets, and names that mean the same net."""

from __future__ import annotations

from collections.abc import Iterable

from hil.review.board import Block, Connection, Net
from hil.review.document import Part
from hil.review.phrases import net_kind, pins_on_nets, subject, volts


def connections(parts: tuple[Part, ...]) -> tuple[Connection, ...]:
    """Every pin that role details place on a net, with the net's canonical name."""
    refs = frozenset(part.ref.upper() for part in parts)
    said: list[tuple[Part, str, str]] = []
    same: dict[str, str] = {}
    for part in parts:
        there_for = subject(part.details, refs)
        for pin in pins_on_nets(part.details, {pin.name for pin in part.pins}, refs):
            net = pin.net
            if there_for and pin.switched and "." not in net:
                if "/" not in net:
                    same[net] = there_for
                net = there_for
            if pin.alias and "/" not in pin.alias:
                same[pin.alias] = net
            said.append((part, pin.pin, net))
    return tuple(Connection(part, pin, same.get(net, net), part.details_line) for part, pin, net in said)


def nets(connected: Iterable[Connection], blocks: Iterable[Block], parts: tuple[Part, ...]) -> dict[str, Net]:
    """Every net that details or the chart name, by canonical name, sorted."""
    pins: dict[str, list[Connection]] = {}
    lines: dict[str, list[int]] = {}
    for connection in connected:
        pins.setdefault(connection.net, []).append(connection)
        lines.setdefault(connection.net, []).append(connection.line)
    for block in blocks:
        if block.net:
            pins.setdefault(block.net, [])
            lines.setdefault(block.net, []).append(block.line)
    for name, on_it in pins.items():
        on_it.extend(_own_pin(name, lines[name][0], parts))
    return {
        name: Net(name, _other_names(name), net_kind(name), volts(name), tuple(said), tuple(dict.fromkeys(lines[name])))
        for name, said in sorted(pins.items())
    }


def _own_pin(name: str, line: int, parts: tuple[Part, ...]) -> Iterable[Connection]:
    """The pin that a net is named after is on it, where its part is one and has that pin."""
    ref, dot, pin = name.partition(".")
    owners = [part for part in parts if part.ref.upper() == ref] if dot else []
    if len(owners) == 1 and any(found.name.upper() == pin for found in owners[0].pins):
        yield Connection(owners[0], pin, name, line)


def _other_names(name: str) -> frozenset[str]:
    return frozenset({name.replace(".", " ")} if "." in name else set())
