"""How the switch's SNMP agent misbehaves. The kinds are those of hil.sim.misbehaviour, as far as SNMP has them.

A request that is sent again is the same request: what happened to its first answer happens to every one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto.api import v2c
from pysnmp.proto.rfc1905 import noSuchInstance

from hil.sim.misbehaviour import GARBAGE, Delivery, Kind, Misbehaviour

GENERAL_ERROR = 5
IF_TYPE = (1, 3, 6, 1, 2, 1, 2, 2, 1, 3)
LOOPBACK_TYPE = 24  # softwareLoopback


class SnmpSaboteur:
    """Sits between the agent and its socket. Without anything armed it changes nothing."""

    def __init__(self) -> None:
        self._armed: Misbehaviour | None = None
        self._skip = 0
        self._spoilt: tuple[int, Delivery] | None = None
        self._last_id = -1
        self.answered: list[str] = []  # requests, since it was armed
        self.acted = False  # since it was armed

    def arm(self, misbehaviour: Misbehaviour | None) -> None:
        """Misbehave from now on; None: behave."""
        self._armed, self.acted, self._spoilt = misbehaviour, False, None
        self._skip = misbehaviour.skip if misbehaviour else 0
        self.answered, self._last_id = [], -1

    def deliver(self, answer: bytes) -> Delivery:
        """Say how an answer reaches the wire."""
        message, _ = decoder.decode(answer, asn1Spec=v2c.Message())
        pdu = v2c.apiMessage.get_pdu(message)
        request_id = int(v2c.apiPDU.get_request_id(pdu))
        if self._spoilt is not None and self._spoilt[0] == request_id:
            again = self._spoilt[1]
            return replace(again, data=b"", delay_s=0.0, silent=True) if again.delay_s else again
        if request_id != self._last_id:
            self._last_id = request_id
            self.answered.append(", ".join(str(oid) for oid, _ in v2c.apiPDU.get_varbinds(pdu)))
        if self._armed is None or self._skip:
            self._skip = max(0, self._skip - 1)
            return Delivery(answer)
        delivery = self._sabotage(self._armed, answer, message, pdu)
        if self._armed is None:
            self._spoilt = (request_id, replace(delivery, cut=False, silent=True) if delivery.reconnects else delivery)
        return delivery

    def _sabotage(self, armed: Misbehaviour, answer: bytes, message: Any, pdu: Any) -> Delivery:
        objects = v2c.apiPDU.get_varbinds(pdu)
        if armed.kind is Kind.WRONG_IDENTITY:
            spoilt = [(oid, _of_another(oid, value)) for oid, value in objects]
            self.acted |= spoilt != objects
            return Delivery(_encoded(message, pdu, spoilt))
        self._armed, self.acted = None, True
        match armed.kind:
            case Kind.SILENT:
                return Delivery(b"", silent=True)
            case Kind.LATE:
                return Delivery(answer, delay_s=armed.late_s)
            case Kind.EMPTY:
                return Delivery(_encoded(message, pdu, []))
            case Kind.GARBAGE:
                return Delivery(GARBAGE)
            case Kind.QUEUE_ERROR:
                v2c.apiPDU.set_error_status(pdu, GENERAL_ERROR)
                v2c.apiPDU.set_error_index(pdu, 1)
                return Delivery(_encoded(message, pdu, objects))
            case Kind.OVER_RANGE:
                return Delivery(_encoded(message, pdu, [(oid, noSuchInstance) for oid, _ in objects]))
            case Kind.CUT:
                return Delivery(b"", cut=True)
            case Kind.RECONNECTS:
                return Delivery(b"", cut=True, reconnects=True)
            case _:
                raise ValueError(f"SNMP has no {armed.kind.value}")


def _of_another(oid: Any, value: Any) -> Any:
    return v2c.Integer32(LOOPBACK_TYPE) if tuple(oid)[: len(IF_TYPE)] == IF_TYPE else value


def _encoded(message: Any, pdu: Any, objects: list[Any]) -> bytes:
    v2c.apiPDU.set_varbinds(pdu, objects)
    v2c.apiMessage.set_pdu(message, pdu)
    return bytes(encoder.encode(message))
