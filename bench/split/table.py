#!/usr/bin/env python3
"""table.py RESULTS [JSON]: prints what transfers.py measured as a table, and writes it to a file as JSON."""
import json
import sys

results = [json.loads(line) for line in open(sys.argv[1])]
rows = [result for result in results if not result["warm_up"]]
before = [result for result in results if result["warm_up"]]


def cell(row):
    return row["server"], row["mode"], row["family"]


kernel = {cell(row): row for row in rows if row["gateways"] == "kernel"}
for row in rows:
    alone = kernel.get(cell(row))
    for name in ("p50", "p99"):
        measured, reference = row[name + "_ms"], alone and alone[name + "_ms"]
        row[name + "_to_kernel"] = round(measured / reference, 2) if measured and reference else None


def text(value, form="%s"):
    return "-" if value is None else form % value


def share(row, count):
    return f"{count} of {row['transfers']} ({100 * count / row['transfers']:.1f} %)"


print("| gateways | transfers | failed | SYN sent again | p50 ms | p99 ms | max ms | p50 / kernel | p99 / kernel |")
print("|---|---|---|---|---|---|---|---|---|")
for row in rows:
    again = share(row, row["syn_retransmitted"]) if row["failed"] < row["transfers"] else "-"
    print("|", " | ".join((
        row["gateways"], f"{row['server']}, {row['mode']}, IPv{row['family']}", share(row, row["failed"]), again, text(row["p50_ms"], "%.2f"),
        text(row["p99_ms"], "%.2f"), text(row["max_ms"], "%.1f"), text(row["p50_to_kernel"], "%.2f"), text(row["p99_to_kernel"], "%.2f"))), "|")
for gateways in dict.fromkeys(row["gateways"] for row in before):
    those = [row for row in before if row["gateways"] == gateways]
    total = {name: sum(row[name] for row in those) for name in ("transfers", "failed", "syn_retransmitted")}
    print(f"\n{gateways}, to warm up before these: {share(total, total['failed'])} failed, SYN sent again in {total['syn_retransmitted']}; p99",
          ", ".join(f"{text(row['p99_ms'], '%.1f')} ms ({', '.join(map(str, cell(row)))})" for row in those))
if len(sys.argv) > 2:
    with open(sys.argv[2], "w") as file:
        json.dump(results, file, indent=1)
        file.write("\n")
