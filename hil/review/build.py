"""Builds the board model from a document: parts and blocks by their kinds, nets from details and chart, and so on."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hil.review import gpio_uses, nets
from hil.review.board import Block, Board, BoardPart, Coil, Connection, Connector, Flow, Net
from hil.review.document import Document
from hil.review.kinds import kinds_of, model_kinds, part_kinds, part_topics
from hil.review.knowledge import Chip, chip_of, ethernet_of
from hil.review.phrases import carried, coil_names, count, gpio_lists, net_kind


def build(document: Document) -> Board:
    """Make the model of the board that a document describes."""
    parts = tuple(BoardPart(part, part_kinds(part), part_topics(part)) for part in document.parts)
    blocks, flows = _chart(document)
    connected = nets.connections(document.parts)
    found = nets.nets(connected, blocks, document.parts)
    controller = _controller(parts)
    uses = gpio_uses.uses(parts, blocks, flows, controller)
    clocks = gpio_uses.clocks(document, parts, blocks, flows, controller)
    known = ((part, ethernet_of(part.part.model)) for part in parts)
    return Board(
        document=document,
        parts=parts,
        blocks=blocks,
        flows=flows,
        nets=found,
        gpios=uses,
        connectors=tuple(_connectors(parts, connected)),
        coils=tuple(_coils(parts, connected)),
        clocks=clocks,
        grounds=_grounds(found.values(), blocks, flows),
        controller=controller,
        chip=_chip_in(controller) if controller else None,
        mains=_has_mains(parts, blocks, found.values()),
        ethernet=tuple((part, ethernet) for part, ethernet in known if ethernet is not None),
    )


def _chart(document: Document) -> tuple[tuple[Block, ...], tuple[Flow, ...]]:
    blocks = {}
    for node in document.chart.nodes:
        kind = net_kind(node.label) if re.fullmatch(r"[\w+.]+", node.label) else "signal"
        net = node.label.upper() if kind != "signal" else ""
        gpios = tuple(dict.fromkeys(gpio for named in gpio_lists(node.label) for gpio in named.gpios))
        kinds = frozenset({"net", kind}) if net else kinds_of(node.label)
        blocks[node.id] = Block(node.id, node.label, kinds, count(node.label), gpios, net, node.group, node.line)
    flows = tuple(
        Flow(blocks[source], blocks[target], edge.label, edge.line)
        for edge in document.chart.edges
        for source, target in ((edge.source, edge.target), (edge.target, edge.source))[: 2 if edge.both else 1]
    )
    return tuple(blocks.values()), flows


def _controller(parts: tuple[BoardPart, ...]) -> BoardPart | None:
    """The one part that is a microcontroller by its model or, failing that, by its role."""
    by_model = [part for part in parts if _chip_in(part) or "mcu" in model_kinds(part.part.model)]
    found = by_model or [part for part in parts if "mcu" in part.kinds]
    return found[0] if len(found) == 1 else None


def _chip_in(part: BoardPart) -> Chip | None:
    return chip_of(part.part.mpn) or chip_of(part.part.name)


def _connectors(parts: tuple[BoardPart, ...], connected: tuple[Connection, ...]) -> Iterable[Connector]:
    for part in parts:
        if "connector" not in part.kinds:
            continue
        pins = tuple(connection for connection in connected if connection.part is part.part)
        carries: dict[str, int] = {}
        stated = part.part.details.partition(":")[2]
        if stated and not pins:
            for words, how_many in carried(stated):
                for kind in kinds_of(words) or {words.lower()}:
                    carries[kind] = carries.get(kind, 0) + how_many
        yield Connector(part.part, part.kinds, pins, carries)


def _coils(parts: tuple[BoardPart, ...], connected: tuple[Connection, ...]) -> Iterable[Coil]:
    """Coils that details name together with the switched end: a net that is a pin of a driver."""
    lines: dict[tuple[str, str, str], list[int]] = {}
    for part in parts:
        named = coil_names(part.part.details)
        if len(named) != 1:
            continue
        relay, coil = named[0]
        for connection in connected:
            if connection.part is part.part and "." in connection.net:
                lines.setdefault((relay, coil, connection.net), []).append(connection.line)
    for (relay, coil, net), said in sorted(lines.items(), key=lambda item: item[1][0]):
        yield Coil(relay, f"{relay} {coil}", net, tuple(dict.fromkeys(said)))


def _has_mains(parts: tuple[BoardPart, ...], blocks: tuple[Block, ...], found: Iterable[Net]) -> bool:
    """Whether mains is on it: by words, a supply's model, a net AC_... or MAINS_..., or live beside neutral."""
    conductors = [net for net in found if net.kind in {"live", "neutral"}]
    return (
        any("mains supply" in one.kinds for one in blocks)
        or any("mains supply" in one.topics or "smps" in model_kinds(one.part.model) for one in parts)
        or any(net.name.startswith(("AC", "MAINS")) for net in conductors)
        or len({net.kind for net in conductors}) > 1
    )


def _grounds(found: Iterable[Net], blocks: tuple[Block, ...], flows: tuple[Flow, ...]) -> tuple[frozenset[str], ...]:
    """Ground nets in sets; those that arrows or a star point of the chart join are in one set."""
    groups = [{net.name} for net in found if net.kind == "ground"]

    def join(names: set[str]) -> None:
        touched = [group for group in groups if group & names]
        for group in touched[1:]:
            groups.remove(group)
            touched[0] |= group

    for block in blocks:
        if "star" in block.kinds or "ground" in block.kinds:
            around = {flow.target.net for flow in flows if flow.source.id == block.id}
            around |= {flow.source.net for flow in flows if flow.target.id == block.id}
            join({name for name in around | {block.net} if name and net_kind(name) == "ground"})
    return tuple(frozenset(group) for group in groups)
