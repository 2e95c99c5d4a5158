"""SNMP agents that are none of ours: Debian's snmpd, and what it once answered, replayed where it is not installed.

HIL_RECORD_SNMP=1 with `-k snmpd` writes the transcripts anew. In them every request id is four zero octets.
"""

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

SNMPD = shutil.which("snmpd") or shutil.which("/usr/sbin/snmpd")
AGENTS = ["recorded", *(["snmpd"] if SNMPD else [])]
RECORDING = bool(os.environ.get("HIL_RECORD_SNMP"))
ID_OCTETS = 4
GET_SYS_DESCR = bytes.fromhex("302902010104067075626c6963a01c020401000000020100020100300e300c06082b060102010101000500")

# ports, by ifIndex: 1 negotiated, 2 found by parallel detection, 3 down, 4 no Ethernet, 5 an older switch's,
# 6 without MAU-MIB and error counters, 7 read-only, 8 takes settings and forgets them, 9 forced
CONFIGURATION = """\
rocommunity public 127.0.0.1
rwcommunity private 127.0.0.1
sysDescr Bench switch, 8 ports, software 1.2.3
sysName switch-1
sysObjectID 1.3.6.1.4.1.8072.3.2.10
pass .1.3.6.1.2.1.31.1.1.1.7.1 {folder}/pass.sh
pass .1.3.6.1.2.1.31.1.1.1.11.1 {folder}/pass.sh
pass .1.3.6.1.2.1.2.2.1.7.8 {folder}/pass.sh
"""
PASS = """\
#!/bin/sh
case "$1 $2" in
  "-g .1.3.6.1.2.1.31.1.1.1.7.1") printf '%s\\n%s\\n%s\\n' "$2" counter64 6000000000 ;;
  "-g .1.3.6.1.2.1.31.1.1.1.11.1") printf '%s\\n%s\\n%s\\n' "$2" counter64 7000000000 ;;
  "-g .1.3.6.1.2.1.2.2.1.7.8") printf '%s\\n%s\\n%s\\n' "$2" integer 1 ;;
esac
"""
MIB_2 = "1.3.6.1.2.1"


def _port(index, oper=1, kind=6, speed=100, duplex=3, writable=True):
    rw = "-rw " if writable else ""
    yield f"{MIB_2}.2.2.1.3.{index} integer {kind}"
    if index != 8:
        yield f"{rw}{MIB_2}.2.2.1.7.{index} integer {1 if oper == 1 else 2}"
    yield f"{MIB_2}.2.2.1.8.{index} integer {oper}"
    yield f"{MIB_2}.31.1.1.1.15.{index} uinteger {speed}"
    yield f"{MIB_2}.10.7.2.1.19.{index} integer {duplex}"


def _mau(index, kind, admin, remote, received):
    yield f"{MIB_2}.26.2.1.1.3.{index}.1 object_id {MIB_2}.26.4.{kind}"
    yield f"-rw {MIB_2}.26.2.1.1.11.{index}.1 object_id {MIB_2}.26.4.16"
    yield f"-rw {MIB_2}.26.5.1.1.1.{index}.1 integer {admin}"
    yield f"{MIB_2}.26.5.1.1.2.{index}.1 integer {remote}"
    yield f"-rw {MIB_2}.26.5.1.1.8.{index}.1 integer 2"
    yield f"{MIB_2}.26.5.1.1.11.{index}.1 octet_str 0x{received}"


def _counters(index):
    for column, value in ((11, 100), (17, 200), (13, 4)):
        yield f"{MIB_2}.2.2.1.{column}.{index} counter {value}"
    for column, value in ((2, 10), (3, 1), (4, 20), (5, 2)):
        yield f"{MIB_2}.31.1.1.1.{column}.{index} counter {value}"
    for column, value in ((2, 5), (3, 6), (18, 7)):
        yield f"{MIB_2}.10.7.2.1.{column}.{index} counter {value}"


def _bridge():
    for port, index in ((11, 1), (12, 2)):
        yield f"{MIB_2}.17.1.4.1.2.{port} integer {index}"
    for mac, port, status in (
        ("124.223.161.0.0.0", 11, 3), ("124.223.161.0.0.255", 11, 3), ("2.0.0.0.0.1", 12, 3), ("2.0.0.0.0.2", 11, 4),
    ):  # fmt: skip
        yield f"{MIB_2}.17.4.3.1.2.{mac} integer {port}"
        yield f"{MIB_2}.17.4.3.1.3.{mac} integer {status}"


def configuration(folder):
    """Return snmpd.conf."""
    lines = [
        *_port(1), *_mau(1, 16, 1, 1, "6c80"), *_counters(1), *_bridge(),
        *_port(2, speed=10, duplex=2), *_mau(2, 10, 1, 2, "2000"),
        *_port(3, oper=2, speed=0, duplex=1), *_mau(3, 16, 1, 2, "0000"),
        *_port(4, kind=53),
        *_port(5, speed=10), *_mau(5, 5, 1, 1, "6000"), *_counters(5),
        *_port(6),
        *_port(7, writable=False),
        *_port(8),
        *_port(9, duplex=2), *_mau(9, 15, 2, 2, "0000"),
    ]  # fmt: skip
    return CONFIGURATION.format(folder=folder) + "".join(f"override {line}\n" for line in lines)


class Snmpd:
    """Debian's agent on a loopback port, with the objects of a switch put over its own."""

    def __init__(self, folder):
        (folder / "pass.sh").write_text(PASS)
        (folder / "pass.sh").chmod(0o755)
        (folder / "snmpd.conf").write_text(configuration(folder))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        where = f"udp:127.0.0.1:{self.port}"
        command = [SNMPD, "-f", "-r", "-C", "-c", str(folder / "snmpd.conf"), "-Lf", str(folder / "log"), where]
        environment = {**os.environ, "MIBS": "", "MIBDIRS": str(folder), "SNMP_PERSISTENT_DIR": str(folder / "kept")}
        self._process = subprocess.Popen([*command, "-I", "-ifTable,-ifXTable"], env=environment)
        try:
            self._await()
        except BaseException:
            self.close()
            raise

    def _await(self):
        end_s = time.monotonic() + 10
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.connect(("127.0.0.1", self.port))
            wire.settimeout(0.05)
            while time.monotonic() < end_s:
                try:
                    wire.send(GET_SYS_DESCR)
                    wire.recv(2048)
                except TimeoutError:
                    continue
                except ConnectionRefusedError:
                    time.sleep(0.02)
                    continue
                return
        raise AssertionError(f"snmpd does not answer on port {self.port}")

    def close(self):
        self._process.terminate()
        self._process.wait(10)


class UdpServer:
    """Answers each datagram with what answers(datagram) returns: a list of datagrams."""

    def __init__(self, answers):
        self._answers, self._stop = answers, threading.Event()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.02)
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while not self._stop.is_set():
            try:
                datagram, peer = self._socket.recvfrom(65535)
            except TimeoutError:
                continue
            for answer in self._answers(datagram):
                self._socket.sendto(answer, peer)

    def close(self):
        self._stop.set()
        self._thread.join(5)
        self._socket.close()


class Replay(UdpServer):
    """Gives the answers of a transcript's scene, in order; at the end everything must have been asked."""

    def __init__(self, path, scene):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert "source" in lines[0], "the first line says where the transcript comes from"
        self._pairs = [line for line in lines[1:] if line["scene"] == scene]
        self._where, self._wrong = f"{path.name}, {scene}", ""
        super().__init__(self._answer)

    def _answer(self, datagram):
        request_id, sent = take_request_id(datagram)
        pair = self._pairs.pop(0) if self._pairs else {"sent": "nothing more"}
        if sent.hex() != pair["sent"]:
            self._wrong = self._wrong or f"{self._where}: sent {sent.hex()} instead of {pair['sent']}"
            return []
        return [put_request_id(bytes.fromhex(pair["answered"]), request_id)] if "answered" in pair else []

    def close(self):
        super().close()
        assert not self._wrong, self._wrong
        assert not self._pairs, f"{self._where}: never sent {self._pairs[0]['sent']}"


class Recorder(UdpServer):
    """Stands between client and agent, and keeps what they said."""

    def __init__(self, agent, scene):
        self._agent, self._scene = agent, scene
        self.lines = []
        super().__init__(self._pass_on)

    def _pass_on(self, datagram):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.connect(("127.0.0.1", self._agent.port))
            wire.settimeout(0.3)
            wire.send(datagram)
            line = {"scene": self._scene, "sent": take_request_id(datagram)[1].hex()}
            self.lines.append(line)
            try:
                answer = wire.recv(65535)
            except TimeoutError:
                return []
        line["answered"] = take_request_id(answer)[1].hex()
        return [answer]

    def close(self):
        super().close()
        self._agent.close()


def open_agent(kind, path, scene, folder):
    """Return an agent of a kind: "snmpd", or the scene of the transcript at path."""
    if kind == "recorded":
        return Replay(path, scene)
    return Recorder(Snmpd(folder), scene) if RECORDING else Snmpd(folder)


def close_agent(agent, path, scene):
    """Close it, and keep the scene where it was recorded."""
    agent.close()
    if isinstance(agent, Recorder):
        old = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        source = (
            "recorded from net-snmp 5.9.3 (Debian's snmpd) with the configuration in snmp_agents.py; ids are zeroed"
        )
        lines = [{"source": source}, *(line for line in old[1:] if line["scene"] != scene), *agent.lines]
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def take_request_id(datagram):
    """Return the request id and the datagram without it: BER of RFC 3416, message > version, community, PDU > id."""
    at = _request_id_at(datagram)
    return datagram[at : at + ID_OCTETS], datagram[:at] + bytes(ID_OCTETS) + datagram[at + ID_OCTETS :]


def put_request_id(datagram, request_id):
    """Return the datagram with another request id of the same length."""
    at = _request_id_at(datagram)
    return datagram[:at] + request_id + datagram[at + ID_OCTETS :]


def _request_id_at(datagram):
    at, _ = _content(datagram, 0)  # into the message
    for _ in range(2):  # past version and community
        at = _content(datagram, at)[1]
    at, _ = _content(datagram, at)  # into the PDU
    at, end = _content(datagram, at)
    assert end - at == ID_OCTETS, "hil's request ids have four octets"
    return at


def _content(datagram, at):
    """Return where the content of the element at `at` begins and ends."""
    length, start = datagram[at + 1], at + 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(datagram[at + 2 : start])
    return start, start + length


TRANSCRIPTS = Path(__file__).parent / "transcripts"
