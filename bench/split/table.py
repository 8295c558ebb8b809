#!/usr/bin/env python3
"""table.py RESULTS [JSON]: prints what transfers.py measured as a table, and writes it to a file as JSON."""
import json
import sys

rows = [json.loads(line) for line in open(sys.argv[1])]


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
if len(sys.argv) > 2:
    with open(sys.argv[2], "w") as file:
        json.dump(rows, file, indent=1)
        file.write("\n")
