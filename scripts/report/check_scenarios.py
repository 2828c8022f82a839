#!/usr/bin/env python3
"""Counts the matches of three scenarios in the CSV files of runs, and compares them with `nandseqgen coverage report --plan`.

    check_scenarios.py --print-plan > plan.yaml
    check_scenarios.py --shown shown.json --report report.json DIR...

`shown.json` is what `plan show plan.yaml --format json` prints, for the names that the steps allow; `report.json` that of
`coverage report DIR... --plan plan.yaml --format json`. Needs nothing but Python. Phases are those of op_state_timeline, so that not even
the durations of the profile are used. Each scenario is counted by loops of its own over plain rows.
"""

import argparse
import bisect
import collections
import csv
import glob
import json
import os
import sys
from decimal import Decimal

PLAN = """schema: 1
scenarios:
  busy:
    each: [celltype, die]
    hits: 3
    steps:
      - p: {class: array_program}
      - {base: SR, in: p.CORE_BUSY, at: 25-50 %, expect: busy}
  suspended:
    steps:
      - p: {class: array_program}
      - s: {base: PROGRAM_SUSPEND, in: p.CORE_BUSY}
      - {base: PROGRAM_RESUME, after: s.end, within: 0-2000}
      - {op: "*", after: p.end, within: 20}
  reread:
    steps:
      - r: {class: page_read, multi: false}
      - {class: page_read, multi: false, after: r.end, within: 0-2000, plane: same as r, block: same as r, page: other than r}
"""


class Run:
    """The rows of a run, with the stretches and the CORE_BUSY segments of each operation."""

    def __init__(self, sequence):
        table = lambda name: csv.DictReader(open(sequence.replace("operation_sequence", name), newline=""))
        self.rows = []
        for row in csv.DictReader(open(sequence, newline="")):
            row["time"] = Decimal(row["time"])
            row["targets"] = json.loads(row["payload"])
            row["die"] = row["targets"][0].get("die")
            self.rows.append(row)
        self.times = [row["time"] for row in self.rows]
        stretches = collections.defaultdict(list)
        for row in table("operation_timeline"):
            place = (int(row["die"]), int(row["plane"]))
            stretches[row["op_uid"]].append((Decimal(row["start"]), Decimal(row["end"]), place, row["op_base"]))
        segments = collections.defaultdict(list)
        for row in table("op_state_timeline"):
            if row["op_state"].endswith(".CORE_BUSY"):
                key = (int(row["die"]), int(row["plane"]), row["op_name"])
                segments[key].append((Decimal(row["start"]), Decimal(row["end"])))
        for of_place in segments.values():
            of_place.sort()
        for row in self.rows:
            row["busy"] = []
            own = sorted(stretches[row["op_uid"]])
            row["end"] = max((end for _, end, _, _ in own), default=None)
            for start, end, (die, plane), base in own:
                if (die, plane) != own[0][2]:
                    continue
                of_place = segments[(die, plane, base)]
                at = bisect.bisect_left(of_place, (start,))
                while at < len(of_place) and of_place[at][0] < end:
                    row["busy"].append(of_place[at])
                    at += 1

    def after(self, row):
        """The later rows."""
        return self.rows[int(row["seq"]) - int(self.rows[0]["seq"]) + 1:]


def length(row):
    return sum((end - start for start, end in row["busy"]), Decimal(0))


def part(row, whole, time):
    """How much of CORE_BUSY is over at a time, or None outside of it."""
    done = Decimal(0)
    for start, end in row["busy"]:
        if start <= time < end:
            return (done + time - start) / whole
        done += end - start
    return None


def end_of_busy(run, row, whole, resets):
    """When CORE_BUSY is over; None if that is in a later run."""
    if not row["busy"]:
        return None
    last = row["busy"][-1][1]
    if length(row) == whole:
        return last
    cut = [reset["time"] for reset in run.after(row) if reset["op_name"] in resets and reset["die"] == row["die"]]
    return next((time for time in cut if time >= last), None)


def on_die(row, die):
    return row["die"] is None or row["die"] == die


def count(runs, names, wholes, resets):
    busy, suspended, reread = collections.Counter(), 0, 0
    for run in runs:
        for row in run.rows:
            later, die, name = run.after(row), row["die"], row["op_name"]
            if name in names["busy"][0]:
                for other in later:
                    over = part(row, wholes[name], other["time"])
                    if row["end"] is not None and other["time"] > row["end"]:
                        break
                    if over is None or not Decimal("0.25") <= over < Decimal("0.5"):
                        continue
                    if other["op_name"] in names["busy"][1] and on_die(other, die) and other["targets"][0]["exp_val"] == "busy":
                        busy[(row["targets"][0]["celltype"], str(die))] += 1
                        break
            if name in names["suspended"][0]:
                suspended += is_suspended(run, row, names["suspended"], wholes, resets)
            if name in names["reread"][0]:
                end = end_of_busy(run, row, wholes[name], resets)
                own = row["targets"][0]
                if end is not None:
                    first = bisect.bisect_left(run.times, end)
                    for other in run.rows[first:bisect.bisect_right(run.times, end + 2000)]:
                        at = other["targets"][0]
                        if int(other["seq"]) > int(row["seq"]) and other["op_name"] in names["reread"][1] and on_die(other, die):
                            if (at["plane"], at["block"]) == (own["plane"], own["block"]) and at["page"] != own["page"]:
                                reread += 1
                                break
    return busy, suspended, reread


def is_suspended(run, row, names, wholes, resets):
    """Whether a program is suspended, resumed in time, and something follows its end."""
    end = end_of_busy(run, row, wholes[row["op_name"]], resets)
    if end is None:
        return False
    for suspend in run.after(row):
        if suspend["time"] > end:
            return False
        is_one = suspend["op_name"] in names[1] and on_die(suspend, row["die"])
        # The SUSPEND itself starts where a segment of CORE_BUSY ends.
        if not is_one or not any(start <= suspend["time"] <= stop for start, stop in row["busy"]):
            continue
        for resume in run.after(suspend):
            if resume["time"] > suspend["end"] + 2000:
                break
            if resume["op_name"] not in names[2] or not on_die(resume, row["die"]) or resume["time"] < suspend["end"]:
                continue
            follows = (last for last in run.after(resume) if on_die(last, row["die"]) and end <= last["time"] <= end + 20)
            # A reset that ends the program starts before its end, not after it.
            if any(last["time"] > end or last["op_name"] not in resets for last in follows):
                return True
    return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--print-plan", action="store_true")
    parser.add_argument("--shown")
    parser.add_argument("--report")
    parser.add_argument("folders", nargs="*")
    arguments = parser.parse_args()
    if arguments.print_plan:
        print(PLAN, end="")
        return
    shown = json.load(open(arguments.shown))
    names = {one["name"]: [set(step["op_names"]) for step in one["steps"]] for one in shown["scenarios"]}
    files = [os.path.join(top, name) for folder in arguments.folders for top, _, _ in os.walk(folder)
             for name in glob.glob("operation_sequence_*.csv", root_dir=top)]
    runs = [Run(path) for path in sorted(files)]
    bases = {row["op_name"]: row["op_base"] for path in files
             for row in csv.DictReader(open(path.replace("operation_sequence", "operation_timeline"), newline=""))}
    resets = {name for name, base in bases.items() if base.startswith("RESET")}
    wholes = collections.defaultdict(Decimal)
    for run in runs:
        for row in run.rows:
            wholes[row["op_name"]] = max(wholes[row["op_name"]], length(row))
    busy, suspended, reread = count(runs, names, wholes, resets)
    report = {one["name"]: one for one in json.load(open(arguments.report))["plan"]["scenarios"]}
    reported = {tuple(value["value"]): value["matches"] for value in report["busy"]["values"] if value["matches"]}
    for what, ours, theirs in [
        ("busy", sum(busy.values()), report["busy"]["matches"]),
        ("busy by value", dict(busy), reported),
        ("suspended", suspended, report["suspended"]["matches"]),
        ("reread", reread, report["reread"]["matches"]),
    ]:
        if ours != theirs:
            sys.exit(f"{what}: {ours} here, {theirs} in the report")
        if not ours:
            sys.exit(f"{what}: no match by chance; a check of nothing")
    print(f"scenarios: {sum(busy.values())}, {suspended} and {reread} matches, as reported")


main()
