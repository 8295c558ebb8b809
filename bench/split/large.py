#!/usr/bin/env python3
"""Fetches and stores a large file in every mode and family, one transfer after another, and checks it; asymmetric.sh runs it.

Prints a line of JSON for each transfer; the exit code is 0 where all arrived as they were, and the routes were swapped during each. `swaps` is how often the routes were
swapped during the transfer, by the lines that a file grew meanwhile.
"""
import argparse
import hashlib
import json
import os
import sys
import time

from ftp import Failed, Ports, Retransmissions, Session

PIECE = 1 << 18


def pieces(path):
    with open(path, "rb") as file:
        while piece := file.read(PIECE):
            yield piece


def checksum(path):
    hashed = hashlib.sha256()
    for piece in pieces(path):
        hashed.update(piece)
    return hashed.digest()


def lines(path):
    with open(path, "rb") as file:
        return file.read().count(b"\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="what the gateways are called in the results")
    parser.add_argument("--folder", required=True, help="where the server has its files; \"large\" is the one to transfer")
    parser.add_argument("--swaps", required=True, help="a file that grows by a line with each swap")
    parser.add_argument("--server-pid", required=True, help="a process in the server's namespace")
    parser.add_argument("--patience", type=float, default=20, help="seconds without a byte after which a transfer has failed")
    options = parser.parse_args()
    large, stored = os.path.join(options.folder, "large"), os.path.join(options.folder, "up", "large")
    expected, size = checksum(large), os.path.getsize(large)
    counters = [Retransmissions("self"), Retransmissions(options.server_pid)]
    ports = Ports()
    ok = True
    for family, server, source in ((4, "10.72.0.101", "10.71.0.2"), (6, "fd72::0:101", "fd71::0:2")):
        for mode in ("passive", "active"):
            for direction in ("fetch", "store"):
                failure = None
                swaps, before, start = lines(options.swaps), [counter.read()[1] for counter in counters], time.perf_counter()
                try:
                    with Session(server, source, ports, options.patience) as session:
                        if direction == "fetch":
                            hashed = hashlib.sha256()
                            session.retrieve("large", mode == "passive", hashed.update)
                            arrived = hashed.digest()
                        else:
                            session.store("up/large", mode == "passive", pieces(large))
                            arrived = None
                except Failed as failed:
                    failure = str(failed)
                seconds, swaps = time.perf_counter() - start, lines(options.swaps) - swaps
                if failure is None and (checksum(stored) if arrived is None else arrived) != expected:
                    failure = "other bytes arrived than were sent"
                if failure is None and swaps == 0:
                    failure = "the routes were not swapped during it, so it shows nothing"
                if os.path.exists(stored):
                    os.unlink(stored)
                ok = ok and failure is None
                print(json.dumps({
                    "gateways": options.name, "family": family, "mode": mode, "direction": direction, "failed": failure, "swaps": swaps,
                    "seconds": round(seconds, 2), "mib_s": round(size / seconds / (1 << 20), 1) if failure is None else None,
                    "segments_retransmitted": sum(counter.read()[1] for counter in counters) - sum(before)}), flush=True)
    sys.exit(0 if ok else 1)


main()
