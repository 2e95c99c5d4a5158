"""Instruments of a few lines on each transport, in threads. What they answer is a function: message -> bytes or None.

Refs: IVI-6.1 (HiSLIP 1.0), VXI-11 revision 1.0 with RFC 1057 (ONC RPC); only what pyvisa-py uses
"""

import contextlib
import os
import pty
import socket
import struct
import threading
import tty


class Server:
    """Accepts connections and serves each in a thread; `program` may be changed at any time."""

    def __init__(self, program):
        self.program = program
        self.messages = []
        self.threads, self.sockets = [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self._start(self._accept)

    def _start(self, target, *args):
        self.threads.append(threading.Thread(target=target, args=args))
        self.threads[-1].start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.listener.accept()
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.sockets.append(peer)
                self._start(self._guard, peer)

    def _guard(self, peer):
        with contextlib.suppress(OSError, struct.error, ValueError), peer:
            self.serve(peer)

    def hang_up(self):
        """Drop every connection, as a crash of the instrument does."""
        for peer in self.sockets:
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        self.sockets.clear()

    def stop_listening(self):
        """Refuse new connections."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def close(self):
        self.stop_listening()
        self.hang_up()
        for thread in self.threads:
            thread.join(5)


class LineServer(Server):
    """Raw socket: a line in, whatever the program returns out."""

    @property
    def resource(self):
        return f"TCPIP::127.0.0.1::{self.port}::SOCKET"

    def serve(self, peer):
        for line in peer.makefile("rb"):
            self.messages.append(line.strip().decode("latin-1"))
            answer = self.program(self.messages[-1])
            if answer is not None:
                peer.sendall(answer)


class HislipServer(Server):
    """HiSLIP: two connections a session; an answer carries the id of its question."""

    HEADER = struct.Struct("!2sBBIQ")

    @property
    def resource(self):
        return f"TCPIP::127.0.0.1::hislip0,{self.port}::INSTR"

    def serve(self, peer):
        stream = peer.makefile("rb")
        while head := stream.read(16):
            _, kind, _, parameter, length = self.HEADER.unpack(head)
            payload = stream.read(length)
            if kind == 0:
                self._send(peer, 1, 0, 0x0100 << 16 | 1)
            elif kind == 17:
                self._send(peer, 18, 0, 0)
            elif kind == 15:
                self._send(peer, 16, 0, 0, struct.pack("!Q", 1 << 20))
            elif kind == 19:
                self._send(peer, 23, 0, 0)
            elif kind == 8:
                self._send(peer, 9, 0, 0)
            elif kind == 7:
                self.messages.append(payload.strip().decode("latin-1"))
                answer = self.program(self.messages[-1])
                if answer is not None:
                    self._send(peer, 7, 0, parameter, answer)

    def _send(self, peer, kind, control, parameter, payload=b""):
        peer.sendall(self.HEADER.pack(b"HS", kind, control, parameter, len(payload)) + payload)


class Vxi11Server(Server):
    """VXI-11 core channel: create_link, write, read, clear, destroy_link. No answer: it waits for io_timeout."""

    def __init__(self, program):
        self.pending, self.question = b"", 0
        self.changed = threading.Condition()
        super().__init__(program)

    @property
    def resource(self):
        return f"TCPIP::127.0.0.1,{self.port}::inst0::INSTR"

    def serve(self, peer):
        stream = peer.makefile("rb")
        while head := stream.read(4):
            record = stream.read(struct.unpack("!I", head)[0] & 0x7FFFFFFF)
            xid, _, _, _, _, procedure = struct.unpack_from("!6I", record)
            body = self._call(procedure, record[40:])
            reply = struct.pack("!6I", xid, 1, 0, 0, 0, 0) + body
            peer.sendall(struct.pack("!I", 0x80000000 | len(reply)) + reply)

    def _call(self, procedure, args):
        if procedure == 10:
            return struct.pack("!4I", 0, 1, 0, 1 << 20)
        if procedure == 11:
            length = struct.unpack_from("!5I", args)[4]
            self.messages.append(args[20 : 20 + length].strip().decode("latin-1"))
            self._begin()
            self._start(self._think, self.question, self.messages[-1])
            return struct.pack("!2I", 0, length)
        if procedure == 12:
            _, size, io_timeout_ms = struct.unpack_from("!3I", args)
            with self.changed:
                if not self.changed.wait_for(lambda: self.pending, io_timeout_ms * 1e-3):
                    return struct.pack("!3I", 15, 0, 0)
                data, self.pending = self.pending[:size], self.pending[size:]
            end = 0 if self.pending else 4
            return struct.pack("!3I", 0, end, len(data)) + data + bytes(-len(data) % 4)
        if procedure == 15:
            self._begin()
        return struct.pack("!I", 0)

    def _begin(self):
        """A new message, or a device clear, ends what was being answered."""
        with self.changed:
            self.question, self.pending = self.question + 1, b""

    def _think(self, question, message):
        answer = self.program(message)
        with self.changed:
            if answer is not None and question == self.question:
                self.pending = answer
                self.changed.notify_all()


class SerialServer:
    """A pseudo terminal: a line in, whatever the program returns out."""

    def __init__(self, program):
        self.program = program
        self.messages = []
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.resource = f"ASRL{os.ttyname(self.slave)}::INSTR"
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self):
        line = b""
        with contextlib.suppress(OSError):
            while data := os.read(self.master, 1024):
                *lines, line = (line + data).split(b"\n")
                for one in lines:
                    if one == b"\x00":
                        return
                    self.messages.append(one.strip().decode("latin-1"))
                    answer = self.program(self.messages[-1])
                    if answer is not None:
                        os.write(self.master, answer)

    def close(self):
        os.write(self.slave, b"\x00\n")
        self.thread.join(5)
        os.close(self.slave)
        os.close(self.master)
