#!/usr/bin/env python3
"""Opens TCP connections as fast as it can, 64 at a time.

connections.py serve ADDRESS PORT              accepts, answers each with a byte, and closes
connections.py connect ADDRESS PORT SECONDS    connects, waits for the byte, resets, connects again; prints connections a second
"""
import errno
import select
import socket
import struct
import sys
import time

AT_A_TIME = 64
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def serve(address, port):
    listener = socket.create_server((address, port), backlog=4096)
    while True:
        connection, _ = listener.accept()
        try:
            connection.send(b"x")
            connection.close()
        except OSError:
            connection.close()


def connect(address, port, seconds):
    poll = select.epoll()
    waiting = {}

    def begin():
        opened = socket.socket()
        opened.setblocking(False)
        # No TIME_WAIT: ports are free at once.
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        status = opened.connect_ex((address, port))
        if status not in (0, errno.EINPROGRESS):
            sys.exit(f"connections.py: connect: {errno.errorcode[status]}")
        waiting[opened.fileno()] = opened
        poll.register(opened.fileno(), select.EPOLLIN)

    for _ in range(AT_A_TIME):
        begin()
    start = time.monotonic()
    done = 0
    while time.monotonic() < start + seconds:
        for number, _ in poll.poll(0.1):
            opened = waiting.pop(number)
            poll.unregister(number)
            try:
                if opened.recv(1):
                    done += 1
            except OSError as error:
                sys.exit(f"connections.py: {error}")
            opened.close()
            begin()
    print(round(done / (time.monotonic() - start)))


if len(sys.argv) == 4 and sys.argv[1] == "serve":
    serve(sys.argv[2], int(sys.argv[3]))
elif len(sys.argv) == 5 and sys.argv[1] == "connect":
    connect(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
else:
    sys.exit(__doc__)
