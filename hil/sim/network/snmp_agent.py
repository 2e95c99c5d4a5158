"""The SNMP v2c agent of the managed switch, over UDP. What it shows is in mib.py; the coding is pysnmp's.

Ref: RFC 3416 (operations and their errors), RFC 1901 (community). Other versions and unknown communities get no answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pysnmp.proto.api import v2c
from pysnmp.proto.rfc1905 import endOfMibView

from hil.sim.network.datagrams import DatagramServer
from hil.sim.network.mib import NO_ACCESS, Mib, Oid, SetError
from hil.sim.network.snmp_saboteur import SnmpSaboteur

VERSION_2C = 1
READ, WRITE = b"public", b"private"
LARGEST_ANSWER = 1472  # octets: one Ethernet frame
MOST_REPETITIONS = 100
TOO_BIG = 1

Binding = tuple[Oid, Any]


class SnmpAgent(DatagramServer):
    """Answers GET, GETNEXT, GETBULK and SET."""

    def __init__(self, mib: Mib) -> None:
        super().__init__()
        self._mib = mib
        self.saboteur = SnmpSaboteur()

    def received(self, data: bytes, peer: tuple[str, int]) -> None:
        answer = self.answer(data)
        if answer is None:
            return
        delivery = self.saboteur.deliver(answer)
        if delivery.cut:
            self.restart() if delivery.reconnects else self.end()
        elif delivery.delay_s:
            asyncio.get_running_loop().call_later(delivery.delay_s, self.send, delivery.data, peer)
        elif not delivery.silent:
            self.send(delivery.data, peer)

    def answer(self, datagram: bytes) -> bytes | None:
        """Return the answer to a datagram; None for one that deserves none."""
        try:
            message, rest = decoder.decode(datagram, asn1Spec=v2c.Message())
        except (PyAsn1Error, ArithmeticError, LookupError, TypeError, ValueError):  # garbage may cause any of these
            return None
        community = bytes(v2c.apiMessage.get_community(message))
        if rest or int(v2c.apiMessage.get_version(message)) != VERSION_2C or community not in (READ, WRITE):
            return None
        pdu = v2c.apiMessage.get_pdu(message)
        bindings = self._bindings(pdu)
        if pdu.isSameTypeWith(v2c.GetRequestPDU()):
            return self._reply(message, pdu, [(oid, self._mib.get(oid)) for oid, _ in bindings])
        if pdu.isSameTypeWith(v2c.GetNextRequestPDU()):
            return self._reply(message, pdu, [self._mib.next(oid) for oid, _ in bindings])
        if pdu.isSameTypeWith(v2c.GetBulkRequestPDU()):
            return self._bulk(message, pdu, [oid for oid, _ in bindings])
        if pdu.isSameTypeWith(v2c.SetRequestPDU()):
            return self._set(message, pdu, bindings, community == WRITE)
        return None

    @staticmethod
    def _bindings(pdu: Any) -> list[Binding]:
        return [(tuple(int(arc) for arc in oid), value) for oid, value in v2c.apiPDU.get_varbinds(pdu)]

    def _set(self, message: Any, pdu: Any, bindings: list[Binding], allowed: bool) -> bytes:
        """Set all or nothing: every value is checked before the first one is set."""
        steps: list[Callable[[], None]] = []
        for index, (oid, value) in enumerate(bindings, start=1):
            try:
                if not allowed:
                    raise SetError(NO_ACCESS)
                steps.append(self._mib.prepare(oid, value))
            except SetError as error:
                return self._reply(message, pdu, bindings, error.status, index)
        for step in steps:
            step()
        return self._reply(message, pdu, bindings)

    def _bulk(self, message: Any, pdu: Any, oids: list[Oid]) -> bytes:
        """Fill one datagram: the first oids once, the others over and over."""
        once = min(max(0, int(v2c.apiBulkPDU.get_non_repeaters(pdu))), len(oids))
        times = min(max(0, int(v2c.apiBulkPDU.get_max_repetitions(pdu))), MOST_REPETITIONS)
        found = [self._mib.next(oid) for oid in oids[:once]]
        row = oids[once:]
        for _ in range(times):
            following = [self._mib.next(oid) for oid in row]
            found += following
            row = [oid for oid, _ in following]
            if not row or all(value is endOfMibView for _, value in following):
                break
        answer = self._encode(message, pdu, found)
        while len(answer) > LARGEST_ANSWER and found:
            del found[min(len(found) - 1, len(found) * LARGEST_ANSWER // len(answer)) :]
            answer = self._encode(message, pdu, found)
        return answer

    def _reply(self, message: Any, pdu: Any, bindings: list[Binding], status: int = 0, index: int = 0) -> bytes:
        answer = self._encode(message, pdu, bindings, status, index)
        return answer if len(answer) <= LARGEST_ANSWER else self._encode(message, pdu, [], TOO_BIG)

    @staticmethod
    def _encode(message: Any, pdu: Any, bindings: list[Binding], status: int = 0, index: int = 0) -> bytes:
        response = v2c.GetResponsePDU()
        v2c.apiPDU.set_defaults(response)
        v2c.apiPDU.set_request_id(response, v2c.apiPDU.get_request_id(pdu))
        v2c.apiPDU.set_error_status(response, status)
        v2c.apiPDU.set_error_index(response, index)
        v2c.apiPDU.set_varbinds(response, bindings)
        reply = v2c.Message()
        v2c.apiMessage.set_defaults(reply)
        v2c.apiMessage.set_community(reply, v2c.apiMessage.get_community(message))
        v2c.apiMessage.set_pdu(reply, response)
        return bytes(encoder.encode(reply))
