#!/usr/bin/env python3
"""Computes the figures of `nandseqgen coverage report` again, from the CSV or Parquet files alone, and compares: they must be equal.

    check_coverage.py --universe universe.tsv --report report.json DIR...

Needs the PyPI package duckdb. The universe is what `coverage universe` lists; the report is that of
`coverage report --format json DIR...`. Shares no code with the program, and reads nothing but its outputs.
"""

import argparse
import csv
import glob
import json
import math
import os
import sys

import duckdb

GAP = 8
# One unit of the last decimal that is reported, and half of one for what was rounded off (docs/reports.md).
TOLERANCE = 1.5e-9
TOLERANCES = {"effective_cells": 1.5e-6}


def close(what, ours, theirs, tolerance=TOLERANCE):
    same = ours == theirs if not isinstance(ours, float) else abs(ours - theirs) < tolerance
    if not same:
        sys.exit(f"{what}: {ours} here, {theirs} in the report")
    return same


def gini(counts):
    total, number = sum(counts), len(counts)
    if not total:
        return 0.0
    ranked = sum(rank * count for rank, count in enumerate(sorted(counts), 1))
    return 2 * ranked / (number * total) - (number + 1) / number


def figures(universe, bins, operations):
    counts = [bins.get(bin, 0) for bin in universe]
    hits, number = sum(counts), len(counts)
    entropy = -math.fsum(count / hits * math.log(count / hits) for count in counts if count) if hits else 0.0
    outside = [count for bin, count in bins.items() if bin not in universe]
    return {
        "operations": operations,
        "cells": number,
        "hits": hits,
        "hit": sum(count >= 1 for count in counts),
        "hit_ten": sum(count >= 10 for count in counts),
        "closure": 100 * sum(count >= 1 for count in counts) / number,
        "closure_ten": 100 * sum(count >= 10 for count in counts) / number,
        "evenness": entropy / math.log(number) if number > 1 else float(hits > 0),
        "effective_cells": math.exp(entropy) if hits else 0.0,
        "gini": gini(counts),
        "unseen": counts.count(1) / hits if hits else 1.0,
        "outside": [len(outside), sum(outside)],
    }


def compare(what, ours, theirs):
    if ours.keys() != theirs.keys():
        sys.exit(f"{what}: other figures: {sorted(ours.keys() ^ theirs.keys())}")
    for name, value in ours.items():
        close(f"{what}, {name}", value, theirs[name], TOLERANCES.get(name, TOLERANCE))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--universe", required=True)
    parser.add_argument("--report", required=True)
    parser.add_argument("--planes", type=int, default=4, help="planes of a die")
    parser.add_argument("folders", nargs="+")
    arguments = parser.parse_args()
    with open(arguments.report) as file:
        report = json.load(file)
    # A phase has time bins; DEFAULT, what comes after an operation, and phases that last no time have not.
    short = set(report["without_length"])
    time_bins = lambda key: 1 if key == "DEFAULT" or key.endswith(".END") or key in short else 10
    with open(arguments.universe, newline="") as file:
        listed = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for row in listed:
        most = time_bins(row["phase_key"])
        assert int(row["cells"]) == len(row["tenths"]) <= most and (row["reason"] == "") == (int(row["cells"]) == most), row
        assert all(int(time_bin) < most for time_bin in row["tenths"]), row
    universe = {(row["phase_key"], row["op_name"], int(time_bin)) for row in listed for time_bin in row["tenths"]}

    db = duckdb.connect()
    runs = []  # the site's folder, and for each kind of table how DuckDB reads it
    for folder in arguments.folders:
        for path in sorted(glob.glob(f"{folder}/**/operation_sequence_*.csv", recursive=True)):
            runs.append((os.path.dirname(path), lambda kind, path=path: f"read_csv('{path.replace('operation_sequence', kind)}')"))
        for path in sorted(glob.glob(f"{folder}/**/run=*/operation_sequence.parquet", recursive=True)):
            site, run = os.path.split(os.path.dirname(path))
            read = lambda kind, site=site, run=run: f"read_parquet('{site}/{run}/{kind}.parquet', hive_partitioning=false)"
            runs.append((site, read))
    if not runs:
        sys.exit("no runs to compute from")
    db.execute("create table bins(run int, site varchar, key varchar, op varchar, time_bin int, count bigint)")
    db.execute("create table sequence(run int, site varchar, seq bigint, op varchar)")
    db.execute("create table touches(base varchar, cell varchar, die int, block int, page int, count bigint)")
    for run, (site, table) in enumerate(runs):
        lasting = db.execute(f"select distinct op_state from {table('op_state_timeline')} where duration > 0").fetchall()
        close("phases without length that lasted", short & {state for state, in lasting}, set())
        db.execute(f"insert into sequence select ?, ?, seq, op_name from {table('operation_sequence')}", [run, site])
        db.execute(
            f"""insert into bins
               select ?, ?, phase_key_used, op_name,
                      case when phase_key_used = 'DEFAULT' or phase_key_used like '%.END' or list_contains(?, phase_key_used) then 0
                           when op_state = phase_key_used then least(cast(round(input_time * 100) as int) // 10, 9)
                           else 9 end,
                      sum(count)
               from {table('op_state_name_input_time_count')} group by all""",
            [run, site, list(short)])
        db.execute(f"insert into touches select op_base, cell_type, die, block, page, count from {table('address_touch_count')}")

    def bins(where):
        return {(key, op, time_bin): count for key, op, time_bin, count in
                db.execute(f"select key, op, time_bin, sum(count)::bigint from bins where {where} group by all").fetchall()}

    def operations(where):
        return db.execute(f"select count(*) from sequence where {where}").fetchone()[0]

    compare("merged", figures(universe, bins("true"), operations("true")), report["merged"])
    sites = list(dict.fromkeys(site for site, _ in runs))
    for parts, wheres in (("sites", [f"site = '{site}'" for site in sites]), ("runs", [f"run = {run}" for run in range(len(runs))])):
        close(f"number of {parts}", len(wheres), len(report[parts]))
        before = set()
        for where, part in zip(wheres, report[parts]):
            counted = bins(where)
            compare(part["name"], figures(universe, counted, operations(where)), part["figures"])
            hit = counted.keys() & universe
            close(f"{part['name']}, added", len(hit - before), part["added"])
            before |= hit

    touched = {cell for cell, in db.execute("select distinct cell from touches").fetchall()}
    close("cell types touched", touched, {address["cell_type"] for address in report["addresses"]})
    for address in report["addresses"]:
        for base, name in (("PROGRAM", "programmed"), ("READ", "read")):
            found = db.execute(
                """select count(distinct (die, block % ?)), count(distinct (die, block)), count(distinct (die, block, page)),
                   coalesce(sum(count), 0)::bigint from touches where base = ? and cell = ?""",
                [arguments.planes, base, address["cell_type"]]).fetchone()
            close(f"{address['cell_type']} {name}", dict(zip(("planes", "blocks", "pages", "touches"), found)), address[name])
    adjacent, within = db.execute(
        f"""select count(distinct (a.op, b.op)) filter (b.seq = a.seq + 1), count(distinct (a.op, b.op))
            from sequence a join sequence b on a.run = b.run and b.seq > a.seq and b.seq <= a.seq + {GAP}""").fetchone()
    close("pairs of names", len({row["op_name"] for row in listed}) ** 2, report["pairs"]["pairs"])
    close("adjacent pairs", adjacent, report["pairs"]["adjacent"])
    close(f"pairs within {GAP}", within, report["pairs"]["within"])
    uncovered = {(pair["phase_key"], pair["op_name"], time_bin) for pair in report["holes"] for time_bin in pair["bins"]}
    close("holes", universe - bins("true").keys() == uncovered, True)
    started = {(key, op): count for key, op, count in db.execute("select key, op, sum(count)::bigint from bins group by all").fetchall()}
    for pair in report["holes"]:
        close(f"hits beside the pair {pair}", started.get((pair["phase_key"], pair["op_name"]), 0), pair["hits"])
    print(f"{len(universe)} bins, {report['merged']['hit']} hit, {len(report['sites'])} sites, {len(report['runs'])} runs: every figure agrees")


main()
