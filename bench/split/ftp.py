"""An FTP client that measures: one control connection, transfers over it, nothing between the commands and the socket."""
import os
import re
import socket
import struct


class Failed(Exception):
    """A transfer, or the login before it, did not succeed; the message says where it stopped."""


class Ports:
    """Ports for data connections, none twice in a minute or so: the other end may still have the last connection in TIME_WAIT."""

    def __init__(self, first=10000, last=30000):
        self.first, self.last, self.next = first, last, first

    def take(self):
        port, self.next = self.next, self.next + 1 if self.next < self.last else self.first
        return port


class Session:
    """A login at a server. `patience` is how long anything may take, in seconds."""

    def __init__(self, server, source, ports, patience):
        self.server, self.source, self.ports, self.patience = server, source, ports, patience
        self.family = socket.AF_INET6 if ":" in server else socket.AF_INET
        self.received = b""
        self.control = None
        try:
            self.control = self._socket()
            self.control.bind((source, 0))
            self.control.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.control.connect((server, 21))
            # As everybody writes it: pyftpdlib compares an address that it is told by its text.
            self.source = self.control.getsockname()[0]
        except OSError as error:
            self.close()
            raise Failed(f"login: {error}") from error
        try:
            self._expect("220", "login")
            self.say("USER ftp", "331")
            self.say("PASS x", "230")
            self.say("TYPE I", "200")
        except Failed:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.control:
            self.control.close()
        self.control = None

    def say(self, line, expected):
        """Sends a command and returns the answer, which has to begin with `expected`."""
        try:
            self.control.sendall(line.encode() + b"\r\n")
        except OSError as error:
            raise Failed(f"{line.split()[0]}: {error}") from error
        return self._expect(expected, line.split()[0])

    def retrieve(self, name, passive, piece=lambda bytes: None):
        """Fetches a file in pieces; returns when it is complete and the server has said so."""
        with self._begin("RETR " + name, passive) as data:
            while True:
                try:
                    got = data.recv(1 << 18)
                except OSError as error:
                    raise Failed(f"data: {error}") from error
                if not got:
                    break
                piece(got)
        self._expect("226", "end of RETR")

    def store(self, name, passive, pieces):
        """Sends a file; returns when the server has said that it has it."""
        with self._begin("STOR " + name, passive) as data:
            try:
                for got in pieces:
                    data.sendall(got)
                # Until the server's end has acknowledged everything: its reset would else be lost as this socket closes.
                data.shutdown(socket.SHUT_WR)
                data.recv(1)
            except OSError as error:
                raise Failed(f"data: {error}") from error
        self._expect("226", "end of STOR")

    def _begin(self, command, passive):
        if passive:
            data = self._connect(self._passive())
            try:
                self.say(command, "1")
            except Failed:
                data.close()
                raise
            return data
        with self._listen() as listener:
            self._active(listener.getsockname()[1])
            self.say(command, "1")
            try:
                data = listener.accept()[0]
            except OSError as error:
                raise Failed(f"nobody connects: {error}") from error
        data.settimeout(self.patience)
        return data

    def _passive(self):
        if self.family == socket.AF_INET:
            numbers = re.search(r"\((\d+),(\d+),(\d+),(\d+),(\d+),(\d+)\)", self.say("PASV", "227")).groups()
            return int(numbers[4]) << 8 | int(numbers[5])
        return int(re.search(r"\(\|\|\|(\d+)\|\)", self.say("EPSV", "229")).group(1))

    def _active(self, port):
        if self.family == socket.AF_INET:
            self.say("PORT %s,%d,%d" % (self.source.replace(".", ","), port >> 8, port & 255), "200")
        else:
            self.say(f"EPRT |2|{self.source}|{port}|", "200")

    def _connect(self, port):
        data = self._socket()
        try:
            data.bind((self.source, 0))
            data.connect((self.server, port))
        except OSError as error:
            data.close()
            raise Failed(f"data connection: {error}") from error
        return data

    def _listen(self):
        listener = self._socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        while True:
            try:
                listener.bind((self.source, self.ports.take()))
                listener.listen()
                return listener
            except OSError:
                # Somebody's: there are others.
                continue

    def _socket(self):
        made = socket.socket(self.family)
        made.settimeout(self.patience)
        # Several connections from one address may have one port, as far as their other ends differ.
        made.setsockopt(socket.IPPROTO_IP, 24, 1)
        return made

    def _expect(self, code, what):
        while True:
            line, end, rest = self.received.partition(b"\n")
            if end:
                self.received = rest
                text = line.decode(errors="replace").strip()
                if text[3:4] == "-":
                    continue
                if not text.startswith(code):
                    raise Failed(f"{what}: {text}")
                return text
            try:
                got = self.control.recv(4096)
            except OSError as error:
                raise Failed(f"{what}: no answer: {error}") from error
            if not got:
                raise Failed(f"{what}: the server hung up")
            self.received += got


class Retransmissions:
    """What TCP of one namespace sent again, by the kernel's own counters; `pid` is a process in it, or "self"."""

    def __init__(self, pid):
        self.extended, self.plain = (os.open(f"/proc/{pid}/net/{name}", os.O_RDONLY) for name in ("netstat", "snmp"))
        self.syn_column = self._names(self.extended, b"TcpExt:").index(b"TCPSynRetrans")
        self.all_column = self._names(self.plain, b"Tcp:").index(b"RetransSegs")

    def read(self):
        """(SYN and SYN-ACK, all segments)"""
        return (int(self._values(self.extended, b"TcpExt:")[self.syn_column]),
                int(self._values(self.plain, b"Tcp:")[self.all_column]))

    @staticmethod
    def _lines(file, start):
        return [line.split() for line in os.pread(file, 1 << 16, 0).split(b"\n") if line.startswith(start)]

    def _names(self, file, start):
        return self._lines(file, start)[0]

    def _values(self, file, start):
        return self._lines(file, start)[1]


def percentile(values, share):
    """Of sorted values; None where there is none."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else None
