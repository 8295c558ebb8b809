#!/usr/bin/env python3
"""Many clients at once fetch and store files at several servers for a time, and check every byte; farm.sh runs it.

Each client has an address of its own and logs in at a random server, for a few transfers of random size, direction, mode (passive,
active) and family (IPv4, IPv6), then at the next one. Prints one line of JSON; the exit code is 0 where every transfer arrived as it
was, and there was one.
"""
import argparse
import collections
import hashlib
import json
import multiprocessing
import os
import random
import sys
import threading
import time

from ftp import Failed, Ports, Session, percentile

# Bytes, and how often out of 1000: most files are small, most bytes are in large ones.
SIZES = ((0, 100), (1, 50), (1024, 500), (65536, 300), (1 << 20, 47), (8 << 20, 3))
SMALL = 1024
PIECE = 1 << 18


def seeded(size):
    """The file of that size: the same bytes wherever it is made."""
    return random.Random(size).randbytes(size)


class Client(threading.Thread):
    """One of many; what became of its transfers is in it when it has ended."""

    def __init__(self, options, number, files, end):
        super().__init__(daemon=True)
        self.options, self.number, self.files, self.end = options, number, files, end
        self.random = random.Random(options.seed * 1000003 + number)
        self.ports = Ports(10000, 50000)
        self.count = collections.Counter()
        self.failures = collections.Counter()
        self.small_times = []

    def run(self):
        while time.monotonic() < self.end:
            server = self.random.randint(1, self.options.servers)
            four = self.random.random() < 0.5
            source = (self.options.client4 if four else self.options.client6)[self.number]
            kind = "login"
            address = f"10.72.0.10{server}" if four else f"fd72::0:10{server}"
            try:
                with Session(address, source, self.ports, self.options.patience) as session:
                    for number in range(self.random.randint(1, self.options.per_login)):
                        if time.monotonic() >= self.end:
                            break
                        passive = self.random.random() < 0.5
                        kind = "passive" if passive else "active"
                        self.transfer(session, server, f"{self.number}-{number}", passive)
            except Failed as failure:
                self.count["failed"] += 1
                self.failures[f"IPv{4 if four else 6}, {kind}: {failure}"] += 1

    def transfer(self, session, server, name, passive):
        size = self.random.choices([size for size, _ in SIZES], [weight for _, weight in SIZES])[0]
        fetch = self.random.random() < 0.5
        content, checksum = self.files[size]
        start = time.perf_counter()
        if fetch:
            hashed = hashlib.sha256()
            session.retrieve(str(size), passive, hashed.update)
            arrived = hashed.digest()
        else:
            session.store("up/" + name, passive, (content[at:at + PIECE] for at in range(0, size, PIECE)))
        elapsed = time.perf_counter() - start
        if not fetch:
            path = os.path.join(self.options.folder, str(server), "up", name)
            with open(path, "rb") as file:
                arrived = hashlib.sha256(file.read()).digest()
            os.unlink(path)
        if arrived != checksum:
            raise Failed(f"{size} bytes {'fetched' if fetch else 'stored'}: others arrived than were sent")
        self.count["passive" if passive else "active"] += 1
        self.count["fetched" if fetch else "stored"] += 1
        self.count["bytes"] += size
        if size <= SMALL:
            self.small_times.append(elapsed)
        if elapsed > 0.9:
            self.count["over_900_ms"] += 1


def work(options, numbers, results):
    files = {size: (content := seeded(size), hashlib.sha256(content).digest()) for size, _ in SIZES}
    end = time.monotonic() + options.seconds
    clients = [Client(options, number, files, end) for number in numbers]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    total = collections.Counter()
    failures = collections.Counter()
    for client in clients:
        total.update(client.count)
        failures.update(client.failures)
    results.put((total, failures, [elapsed for client in clients for elapsed in client.small_times]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--servers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--per-login", type=int, default=8, help="most transfers of one login")
    parser.add_argument("--patience", type=float, default=30, help="seconds without a byte after which a transfer has failed")
    parser.add_argument("--folder", required=True, help="where server N has its files: N below it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--make-files", action="store_true", help="write the servers' files and end")
    options = parser.parse_args()
    if options.make_files:
        for size, _ in SIZES:
            for server in range(1, options.servers + 1):
                with open(os.path.join(options.folder, str(server), str(size)), "wb") as file:
                    file.write(seeded(size))
        return
    last = [f"{1 + number // 250}.{number % 250 + 1}" for number in range(1, options.clients + 1)]
    options.client4 = ["10.71." + word for word in last]
    options.client6 = ["fd71::" + word.replace(".", ":") for word in last]
    results = multiprocessing.Queue()
    processes = os.cpu_count() or 1
    for first in range(processes):
        multiprocessing.Process(target=work, args=(options, range(first, options.clients, processes), results), daemon=True).start()
    total, failures, small = collections.Counter(), collections.Counter(), []
    for _ in range(processes):
        # A process that died would be waited for else.
        counted, failed, times = results.get(timeout=options.seconds + 5 * options.patience)
        total.update(counted)
        failures.update(failed)
        small += times
    small.sort()
    whole = total["passive"] + total["active"]
    milliseconds = {name: None if value is None else round(value * 1000, 2)
                    for name, value in (("p50", percentile(small, 0.5)), ("p99", percentile(small, 0.99)), ("max", small[-1] if small else None))}
    print(json.dumps({"transfers": whole, "failed": total["failed"], "failures": failures, "passive": total["passive"], "active": total["active"],
                      "fetched": total["fetched"], "stored": total["stored"], "mib": round(total["bytes"] / (1 << 20), 1),
                      "over_900_ms": total["over_900_ms"], "small_ms": milliseconds}))
    sys.exit(0 if whole and not total["failed"] else 1)


if __name__ == "__main__":
    main()
