"""Modbus over TCP: read and write registers of one server. Framing and PDUs are pymodbus'; deadlines are ours.

Ref: MODBUS Application Protocol V1.1b3 (6.3 and 6.4 read registers, 6.6 write single, 6.12 write multiple, 7 exception
codes); MODBUS Messaging on TCP/IP Implementation Guide V1.0b (3.1.3: the transaction identifier pairs an answer with
its request). After anything that is not an answer to what was asked, the connection is dropped and the next request
has a new one: a late answer is never the next one's. A connection that broke stays broken: the instrument may have
lost its settings. Nothing is asked twice here.
"""

from __future__ import annotations

import math
import struct
import threading
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from hil.errors import BadAnswer, InstrumentRefused, NoAnswer, NoReading, NotConnected, SetupError
from hil.interrupt import uninterrupted
from hil.names import without_secrets

PORT = 502  # Implementation Guide, 4.2.2.2
MOST_UNITS = 247  # Application Protocol; over TCP a server that is no gateway may ignore it
HINT = "write it like modbus://192.0.2.21:502/1 (port 502; 1 is the unit)"
EXCEPTIONS = {  # Application Protocol, 7
    1: "illegal function", 2: "illegal data address", 3: "illegal data value", 4: "server device failure",
    5: "acknowledge", 6: "server device busy", 8: "memory parity error", 10: "gateway path unavailable",
    11: "gateway target device failed to respond",
}  # fmt: skip

Table = Literal["holding", "input"]
WordOrder = Literal["low first", "high first"]


@dataclass(frozen=True, slots=True)
class ModbusAddress:
    """A server and one unit behind it; `options` are what a driver makes of the part behind the question mark."""

    host: str
    port: int
    unit: int
    options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, resource: str, options: frozenset[str] = frozenset()) -> ModbusAddress:
        """Read "modbus://HOST:PORT/UNIT?NAME=VALUE"; `options` are the names that a driver knows."""
        try:
            parts = urlsplit(resource.strip())
            query = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
            unit, port = int(parts.path.removeprefix("/") or 1), parts.port or PORT
        except ValueError:
            raise SetupError(f"{without_secrets(resource)!r} names no Modbus unit", HINT) from None
        if parts.scheme != "modbus" or not parts.hostname or not 0 <= unit <= MOST_UNITS or parts.fragment:
            raise SetupError(f"{without_secrets(resource)!r} names no Modbus unit", HINT)
        if unknown := set(query) - options:
            known = f"it knows {', '.join(sorted(options))}" if options else "leave it out"
            raise SetupError(f"{resource!r}: this instrument has no option {min(unknown)!r}", known)
        return cls(parts.hostname, port, unit, tuple((name, values[-1]) for name, values in query.items()))

    @property
    def where(self) -> str:
        """The server's host, port and unit."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}, unit {self.unit}"

    def connect(self, timeout_s: float, received: bytearray) -> Any:
        """Return a connected pymodbus client that notes what it receives; None where nobody takes the connection."""
        import logging

        from pymodbus.client import ModbusTcpClient

        logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # every trouble of it is an error of ours

        def trace(sending: bool, data: bytes) -> bytes:
            if not sending:
                received[:] = data
            return data

        client: Any = ModbusTcpClient(self.host, port=self.port, timeout=timeout_s, retries=0, trace_packet=trace)
        return client if client.connect() else None


class ModbusLink:
    """One connection to one unit. Values of 32 bits are two registers, in the word order that the instrument has."""

    def __init__(
        self, who: str, address: ModbusAddress, *, word_order: WordOrder = "high first", timeout_s: float = 2.0
    ) -> None:
        self.who, self.where = who, address.where
        self._address, self._timeout_s = address, timeout_s
        self._low_first = word_order == "low first"
        self._lock = threading.RLock()
        self._received = bytearray()  # since the last request
        self._client: Any = None
        self._broken = ""  # why, once it is
        self._connected()

    def close(self) -> None:
        """Close the connection for good. Safe any number of times."""
        self._broken = self._broken or "it was closed"
        self._drop()

    # -- registers -------------------------------------------------------------------------------------------------

    def read_words(self, register: int, count: int = 1, table: Table = "holding") -> list[int]:
        """Return registers as numbers from 0 to 65535."""
        asked = f"read {table} register {register}" + (f" and {count - 1} more" if count > 1 else "")
        call = "read_holding_registers" if table == "holding" else "read_input_registers"
        answer = self._ask(asked, call, register, count=count)
        words = [int(word) for word in answer.registers]
        if len(words) != count:
            raise self._bad(asked, f"{len(words)} registers instead of {count}")
        return words

    def read_float(self, register: int, table: Table = "holding") -> float:
        """Return an IEEE 754 number of 32 bits; raises NoReading for one that is none."""
        pair = self._pair(register, table)
        value = float(struct.unpack(">f", pair)[0])
        if not math.isfinite(value):
            raise NoReading(self.who, f"register {register}", pair.hex(), "not a finite number")
        return value

    def read_integer(self, register: int, table: Table = "holding") -> int:
        """Return a signed integer of 32 bits."""
        return int(struct.unpack(">i", self._pair(register, table))[0])

    def read_text(self, register: int, count: int) -> str:
        """Return text with one character in a register, up to the first that is zero."""
        words = self.read_words(register, count)
        text = "".join(map(chr, words))
        text = text[: text.index("\0")] if "\0" in text else text
        if not all(char.isprintable() for char in text):
            raise BadAnswer(self.who, f"text at register {register}", text, "not printable")
        return text.strip()

    def write_word(self, register: int, value: int) -> None:
        """Write one register (function 6)."""
        asked = f"write {value} to register {register}"
        answer = self._ask(asked, "write_register", register, value)
        if (answer.address, list(answer.registers)) != (register, [value]):  # the answer repeats the request (6.6)
            raise self._bad(asked, "the answer is about another register or value")

    def write_float(self, register: int, value: float) -> None:
        """Write an IEEE 754 number of 32 bits to two registers (function 16)."""
        high, low = struct.unpack(">HH", struct.pack(">f", value))
        words = [low, high] if self._low_first else [high, low]
        asked = f"write {value:g} to register {register}"
        answer = self._ask(asked, "write_registers", register, words)
        if (answer.address, answer.count) != (register, len(words)):
            raise self._bad(asked, "the answer is about other registers")

    def _pair(self, register: int, table: Table) -> bytes:
        first, second = self.read_words(register, 2, table)
        return struct.pack(">HH", *((second, first) if self._low_first else (first, second)))

    # -- one request -----------------------------------------------------------------------------------------------

    def _connected(self) -> Any:
        if self._client is None and not self._broken:
            self._client = self._address.connect(self._timeout_s, self._received)
        if self._client is None:
            self._broken = self._broken or "nobody takes a Modbus connection there"
            raise NotConnected(self.who, self.where, self._broken)
        return self._client

    def _drop(self) -> None:
        """Forget the connection, and with it whatever may still come on it."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _ask(self, asked: str, call: str, *arguments: Any, **options: Any) -> Any:
        """Do one exchange; here, and nowhere else, the library's troubles become ours."""
        from pymodbus.exceptions import ConnectionException, ModbusException, ModbusIOException

        with self._lock:
            uninterrupted.step()
            client = self._connected()
            self._received.clear()
            try:
                answer = getattr(client, call)(*arguments, device_id=self._address.unit, **options)
            except (ConnectionException, OSError) as error:
                self._broken = "the connection broke"
                self._drop()
                raise NotConnected(self.who, self.where, self._broken) from error
            except ModbusIOException as error:
                self._drop()
                if self._received:
                    raise self._bad(asked, "no answer to this request") from error
                raise NoAnswer(self.who, asked, self._timeout_s) from error
            except (ModbusException, struct.error, LookupError, TypeError, ValueError) as error:  # garbage may do this
                raise self._bad(asked, f"no Modbus answer: {error}") from error
            except BaseException:
                self._drop()  # interrupted between question and answer
                raise
        if answer.function_code & 0x7F != _FUNCTIONS[call]:
            raise self._bad(asked, f"an answer to function {answer.function_code & 0x7F}")
        if answer.isError():
            code = int(answer.exception_code)
            raise InstrumentRefused(self.who, asked, f"{EXCEPTIONS.get(code, 'exception')} (exception code {code})")
        return answer

    def _bad(self, asked: str, why: str) -> BadAnswer:
        """Drop the connection and return the error: what comes on it is not understood."""
        got = self._received.hex(" ")
        self._drop()
        return BadAnswer(self.who, asked, got, why)


_FUNCTIONS = {"read_holding_registers": 3, "read_input_registers": 4, "write_register": 6, "write_registers": 16}
