#!/usr/bin/env python3
"""Transfers a small file again and again, one transfer at a time, and says what became of each; split.sh runs it.

A transfer's time is from the command that announces the data connection (PASV, EPSV, PORT, EPRT) to the server's word that it is
complete, with the login before it left out. Whether a SYN was sent again during it is asked of the kernel's counters in the client's
and in the server's namespace, so that it is exact whichever side connects.
"""
import argparse
import concurrent.futures
import json
import time

from ftp import Failed, Ports, Retransmissions, Session, percentile


def run(options, mode, family, planned, warm_up=False):
    address, source = (options.server4, options.client4) if family == 4 else (options.server6, options.client6)
    passive = mode == "passive"
    counters = [Retransmissions("self"), Retransmissions(options.server_pid)]
    expected = open(options.content, "rb").read()
    times, hit_times, failures, retransmitted, session, used = [], [], {}, 0, None, 0

    def sent_again():
        return [sum(column) for column in zip(*(counter.read() for counter in counters))]

    count = failed = 0
    while count < planned and failed < options.give_up:
        count += 1
        try:
            if session is None:
                session, used = Session(address, source, options.ports, options.patience), 0
            used += 1
            received = []
            before = sent_again()
            start = time.perf_counter()
            session.retrieve("file", passive, received.append)
            elapsed = time.perf_counter() - start
            after = sent_again()
            if b"".join(received) != expected:
                raise Failed("other bytes arrived than were sent")
            times.append(elapsed)
            if after[0] > before[0]:
                hit_times.append(elapsed)
            retransmitted += after[1] - before[1]
        except Failed as failure:
            failed += 1
            failures[str(failure)] = failures.get(str(failure), 0) + 1
            used = options.per_login
        if used >= options.per_login and session:
            session.close()
            session = None
    if session:
        session.close()
    times.sort()
    return {
        "gateways": options.gateways, "server": options.server, "warm_up": warm_up, "mode": mode, "family": family, "transfers": count, "failed": failed, "failures": failures,
        "syn_retransmitted": len(hit_times), "over_900_ms": sum(1 for value in times if value > 0.9),
        "segments_retransmitted": retransmitted,
        "p50_ms": milliseconds(percentile(times, 0.5)), "p99_ms": milliseconds(percentile(times, 0.99)),
        "max_ms": milliseconds(times[-1] if times else None),
    }


def milliseconds(seconds):
    return None if seconds is None else round(seconds * 1000, 3)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gateways", required=True, help="what they are called in the results")
    parser.add_argument("--server", required=True, help="what it is called in the results")
    for word in ("client4", "client6", "server4", "server6"):
        parser.add_argument("--" + word, required=True)
    parser.add_argument("--server-pid", required=True, help="a process in the server's namespace")
    parser.add_argument("--content", required=True, help="what the server's \"file\" contains")
    parser.add_argument("--count", type=int, default=2000, help="transfers in each mode and family")
    parser.add_argument("--warm-up", type=int, default=0, help="transfers in each mode and family before them, which have results of their own")
    parser.add_argument("--per-login", type=int, default=10, help="transfers of one login")
    parser.add_argument("--patience", type=float, default=15, help="seconds after which a transfer has failed")
    parser.add_argument("--give-up", type=int, default=20, help="failures after which the rest is not tried")
    parser.add_argument("--at-once", action="store_true", help="modes and families beside each other: where all is to fail")
    options = parser.parse_args()
    options.ports = Ports()
    cells = [(mode, family) for family in (4, 6) for mode in ("passive", "active")]
    plan = [(*cell, options.warm_up, True) for cell in cells if options.warm_up] + [(*cell, options.count) for cell in cells]
    with concurrent.futures.ThreadPoolExecutor(len(cells) if options.at_once else 1) as pool:
        for result in pool.map(lambda part: run(options, *part), plan):
            print(json.dumps(result), flush=True)


main()
