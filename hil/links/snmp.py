"""SNMP v2c over UDP: get, set and walk a column. The coding is pysnmp's; socket and deadlines are ours.

Ref: RFC 3416 (operations: 4.2.1 get, 4.2.3 get-bulk, 4.2.5 set; 3 error-status), RFC 3417 section 3 (UDP), RFC 1901
(the community). An answer is taken only from the address that was asked, with the community and the request id that
were sent and the objects that were asked: a late answer is never the next one's.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from hil.errors import BadAnswer, InstrumentRefused, NoAnswer, NotConnected, SetupError
from hil.interrupt import uninterrupted
from hil.names import without_secrets

PORT = 161  # RFC 3417, 3
VERSION_2C = 1  # RFC 1901, 3
MAX_DATAGRAM_BYTES = 65_507
MIN_REQUEST_ID, MAX_REQUEST_ID = (
    0x0100_0000,
    0x7FFF_FFFF,
)  # of Integer32 those of four octets: requests keep their length
ROWS_AT_ONCE = 20  # of a walk: 20 rows fit the 1472 octets of one Ethernet frame
MAX_ROWS = 10_000  # of a walk: more than any switch of a bench has
HINT = "write it like snmp://public@192.168.1.2/3?write=private (port 161; 3 is the ifIndex)"
ERROR_STATUS = (  # RFC 3416, 3
    "noError", "tooBig", "noSuchName", "badValue", "readOnly", "genErr", "noAccess", "wrongType", "wrongLength",
    "wrongEncoding", "wrongValue", "noCreation", "inconsistentValue", "resourceUnavailable", "commitFailed",
    "undoFailed", "authorizationError", "notWritable", "inconsistentName",
)  # fmt: skip

Oid = tuple[int, ...]
Value = int | bytes | Oid | None  # None: the agent has no such object, or no such instance of it


@dataclass(frozen=True, slots=True)
class SnmpAddress:
    """An agent and one of its interfaces, by ifIndex; communities are passwords of a kind and stay out of `where`."""

    host: str
    port: int
    index: int
    community: str = field(default="public", repr=False)
    write_community: str = field(default="private", repr=False)

    @classmethod
    def parse(cls, resource: str) -> SnmpAddress:
        """Read "snmp://COMMUNITY@HOST:PORT/IFINDEX?write=COMMUNITY"; community and port have their usual defaults."""
        try:
            parts = urlsplit(resource.strip())
            query = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
            index, port = int(parts.path.removeprefix("/")), parts.port or PORT
        except ValueError:
            raise SetupError(f"{without_secrets(resource)!r} names no port of an SNMP agent", HINT) from None
        if parts.scheme != "snmp" or not parts.hostname or index < 1 or set(query) - {"write"} or parts.fragment:
            raise SetupError(f"{without_secrets(resource)!r} names no port of an SNMP agent", HINT)
        return cls(parts.hostname, port, index, unquote(parts.username or "public"), query.get("write", ["private"])[0])

    @property
    def where(self) -> str:
        """The agent's host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class SnmpLink:
    """Asks one agent. Deadlines are real time: a socket knows no other. UDP loses datagrams: each has some `tries`."""

    def __init__(self, who: str, address: SnmpAddress, *, timeout_s: float = 1.0, tries: int = 3) -> None:
        self.who, self.where = who, address.where
        self._address, self._timeout_s, self._tries = address, timeout_s, tries
        self._lock = threading.RLock()
        self._request_id = MIN_REQUEST_ID + int.from_bytes(os.urandom(3))  # an answer to a run that died is not ours
        try:
            family, kind, _, _, peer = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind)
            try:
                self._socket.connect(peer)  # datagrams of anybody else never arrive, and a refusal is reported
            except OSError:
                self._socket.close()
                raise
        except OSError as error:
            raise NotConnected(who, self.where, str(error)) from error

    def close(self) -> None:
        """Close the socket. Safe any number of times."""
        self._socket.close()

    def get(self, *oids: Oid) -> list[Value]:
        """Return the values of objects, in the order asked; None where the agent has none."""
        from pysnmp.proto.api import v2c

        asked = f"get {_listed(oids)}"
        answer = self._ask(v2c.GetRequestPDU(), [(oid, v2c.null) for oid in oids], asked)
        self._check_objects(asked, [oid for oid, _ in answer], oids)
        return [value for _, value in answer]

    def set(self, oid: Oid, value: int | bytes | Oid) -> None:
        """Write one object, with the community for writing; raises InstrumentRefused where the agent says no."""
        from pysnmp.proto.api import v2c

        kind = {int: v2c.Integer32, bytes: v2c.OctetString, tuple: v2c.ObjectIdentifier}[type(value)]
        shown = dotted(value) if isinstance(value, tuple) else repr(value)
        asked = f"set {dotted(oid)} = {shown}"
        answer = self._ask(v2c.SetRequestPDU(), [(oid, kind(value))], asked)
        self._check_objects(asked, [one for one, _ in answer], [oid])

    def column(self, column: Oid) -> dict[Oid, Value]:
        """Walk a column of a table; return its values by their instance, which is what follows the column's OID."""
        from pysnmp.proto.api import v2c

        rows: dict[Oid, Value] = {}
        last, asked = column, f"walk {dotted(column)}"
        while len(rows) < MAX_ROWS:
            answer = self._ask(v2c.GetBulkRequestPDU(), [(last, v2c.null)], asked)
            if not answer:
                raise BadAnswer(self.who, asked, "", "an answer without objects")
            for oid, value in answer:
                if oid[: len(column)] != column or (value is None and oid == last):  # endOfMibView bears the name asked
                    return rows
                if value is None:
                    raise BadAnswer(self.who, asked, dotted(oid), "a row without a value")
                if oid <= last:  # RFC 3416, 4.2.3: the lexicographical successor; anything else would never end
                    raise BadAnswer(self.who, asked, dotted(oid), f"it does not come after {dotted(last)}")
                rows[oid[len(column) :]], last = value, oid
        raise BadAnswer(self.who, asked, f"{len(rows)} rows", "the table does not end")

    def _ask(self, pdu: Any, objects: Sequence[tuple[Oid, Any]], asked: str) -> list[tuple[Oid, Value]]:
        from pyasn1.codec.ber import encoder
        from pysnmp.proto.api import v2c

        writing = isinstance(pdu, v2c.SetRequestPDU)
        community = (self._address.write_community if writing else self._address.community).encode()
        with self._lock:
            self._request_id = self._request_id + 1 if self._request_id < MAX_REQUEST_ID else MIN_REQUEST_ID
            bulk = isinstance(pdu, v2c.GetBulkRequestPDU)
            api = v2c.apiBulkPDU if bulk else v2c.apiPDU
            api.set_defaults(pdu)
            api.set_request_id(pdu, self._request_id)
            if bulk:
                api.set_max_repetitions(pdu, ROWS_AT_ONCE)
            api.set_varbinds(pdu, objects)
            message = v2c.Message()
            v2c.apiMessage.set_defaults(message)
            v2c.apiMessage.set_community(message, community)
            v2c.apiMessage.set_pdu(message, pdu)
            try:
                answer = self._exchange(bytes(encoder.encode(message)), Request(self._request_id, community), asked)
            except OSError as error:
                why = "nothing listens there" if isinstance(error, ConnectionRefusedError) else str(error)
                raise NotConnected(self.who, self.where, why) from error
        if answer.error_status:
            raise InstrumentRefused(self.who, asked, f"{answer.error} at object {answer.error_index}")
        return answer.objects

    def _exchange(self, datagram: bytes, request: Request, asked: str) -> Answer:
        """Send until the answer comes. The request id stays, so the answer to any of the sendings is the answer."""
        garbage: BadAnswer | None = None
        for _ in range(self._tries):
            uninterrupted.step()
            self._socket.send(datagram)
            end_s = time.monotonic() + self._timeout_s
            while (left_s := end_s - time.monotonic()) > 0:
                self._socket.settimeout(left_s)
                try:
                    received = self._socket.recv(MAX_DATAGRAM_BYTES)
                except TimeoutError:
                    break
                try:
                    answer = decode(self.who, asked, received)
                except BadAnswer as error:
                    garbage = error
                    continue
                if answer.request == request:
                    return answer
        raise garbage or NoAnswer(self.who, f"SNMP {asked} at {self.where}", self._timeout_s * self._tries)

    def _check_objects(self, asked: str, got: Sequence[Oid], wanted: Sequence[Oid]) -> None:
        if list(got) != list(wanted):
            raise BadAnswer(self.who, asked, _listed(got), "not the objects that were asked")


@dataclass(frozen=True, slots=True)
class Request:
    """What an answer must repeat to be the answer."""

    request_id: int
    community: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """A response PDU (RFC 3416, 3)."""

    request: Request
    error_status: int
    error_index: int
    objects: list[tuple[Oid, Value]]

    @property
    def error(self) -> str:
        """The error-status in words."""
        known = 0 <= self.error_status < len(ERROR_STATUS)
        return f"{ERROR_STATUS[self.error_status] if known else 'error'} ({self.error_status})"


def decode(who: str, asked: str, datagram: bytes) -> Answer:
    """Decode an answer; raises BadAnswer for anything that is no SNMP v2c response."""
    from pyasn1.codec.ber import decoder
    from pyasn1.error import PyAsn1Error
    from pysnmp.proto.api import v2c

    try:
        message, rest = decoder.decode(datagram, asn1Spec=v2c.Message())
        pdu = v2c.apiMessage.get_pdu(message)
        version = int(v2c.apiMessage.get_version(message))
        if rest or version != VERSION_2C or not isinstance(pdu, v2c.ResponsePDU):
            raise BadAnswer(who, asked, datagram.hex(), "no SNMP v2c response")
        return Answer(
            Request(int(v2c.apiPDU.get_request_id(pdu)), bytes(v2c.apiMessage.get_community(message))),
            int(v2c.apiPDU.get_error_status(pdu)),
            int(v2c.apiPDU.get_error_index(pdu, muteErrors=True)),
            [(tuple(oid), _plain(value)) for oid, value in v2c.apiPDU.get_varbinds(pdu)],
        )
    except (
        PyAsn1Error,
        ArithmeticError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:  # garbage may cause any of these
        raise BadAnswer(who, asked, datagram.hex(), f"no SNMP message: {type(error).__name__}") from error


def parse_oid(text: str) -> Oid:
    """Read a dotted OID."""
    return tuple(int(part) for part in text.split("."))


def dotted(oid: Oid) -> str:
    """Write an OID with its dots."""
    return ".".join(str(part) for part in oid)


def bits(octets: bytes) -> frozenset[int]:
    """Return the numbers of the bits that are set in a BITS value: bit 0 is the first octet's highest (RFC 3417, 8)."""
    return frozenset(8 * at + bit for at, octet in enumerate(octets) for bit in range(8) if octet & 0x80 >> bit)


def _plain(value: Any) -> Value:
    from pysnmp.proto import rfc1905
    from pysnmp.proto.api import v2c

    if isinstance(value, rfc1905.NoSuchObject | rfc1905.NoSuchInstance | rfc1905.EndOfMibView | v2c.Null):
        return None
    if isinstance(value, v2c.ObjectIdentifier):
        return tuple(value)
    if isinstance(value, v2c.OctetString):
        return bytes(value)
    return int(value)


def _listed(oids: Sequence[Oid]) -> str:
    return ", ".join(dotted(one) for one in oids)
