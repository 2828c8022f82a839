#!/usr/bin/env python3
"""Counts the matches of scenarios in the CSV files of runs, and compares them with `nandseqgen coverage report --plan`.

    check_scenarios.py --print-plan > plan.yaml
    check_scenarios.py --shown shown.json [--report report.json] [--lengths DIR] DIR...

`shown.json` is what `plan show plan.yaml --format json` prints, for the names that the steps allow and what they ask for; `report.json` is that
of `coverage report DIR... --plan plan.yaml --format json`. Without a report the matches are counted alone. Needs nothing but Python, and shares
no code with the program: every choice of rows is tried, and phases are those of op_state_timeline, so that not even the durations of the profile
are used. The whole length of a CORE_BUSY is the longest one seen, also in the runs below `--lengths`. Where nothing else may start between the
steps, the runs need `--proposer-log full`: what it does not list as proposed was forced by a chain.
"""

import argparse
import bisect
import collections
import csv
import glob
import json
import os
import re
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
PLANES = 4


def ticks(text):
    return int(Decimal(text) * 10**6)


class Row:
    """An operation: `busy` are its stretches in CORE_BUSY, `ended` its end and the number of the row that brought it, if a row did."""

    def __init__(self, number, row, accepted):
        self.number, self.name, self.time = number, row["op_name"], ticks(row["time"])
        self.targets = json.loads(row["payload"])
        self.die = self.targets[0].get("die")
        self.is_forced = accepted is not None and row["op_uid"] not in accepted
        self.busy, self.base, self.ended, self.stop = [], None, None, None

    def is_on(self, die):
        return self.die is None or die is None or self.die == die

    def length(self):
        return sum(end - start for start, end in self.busy)


class Run:
    """The rows of a run."""

    def __init__(self, sequence):
        table = lambda name: csv.DictReader(open(sequence.replace("operation_sequence", name), newline=""))
        log = sequence.replace("operation_sequence", "proposer_debug").replace(".csv", ".log")
        self.has_log = os.path.exists(log) and open(log).readline().startswith("propose_time")
        proposed = csv.DictReader(open(log), delimiter="\t") if self.has_log else []
        accepted = {row["op_uid"] for row in proposed if row["outcome"] == "accepted"} if self.has_log else None
        listed = list(csv.DictReader(open(sequence, newline="")))
        self.rows = [Row(number, row, accepted) for number, row in enumerate(listed)]
        stretches = collections.defaultdict(list)
        for row in table("operation_timeline"):
            place = (int(row["die"]), int(row["plane"]))
            stretches[row["op_uid"]].append((ticks(row["start"]), ticks(row["end"]), place, row["op_base"]))
        segments = collections.defaultdict(list)
        for row in table("op_state_timeline"):
            if row["op_state"].endswith(".CORE_BUSY"):
                segments[(int(row["die"]), int(row["plane"]), row["op_name"])].append((ticks(row["start"]), ticks(row["end"])))
        for of_place in segments.values():
            of_place.sort()
        for row, text in zip(self.rows, listed):
            own = sorted(stretches[text["op_uid"]])
            row.base = own[0][3] if own else None
            row.stop = max((end for _, end, _, _ in own), default=row.time)
            for start, end, (die, plane), base in own:
                if (die, plane) == own[0][2]:
                    of_place = segments[(die, plane, base)]
                    at = bisect.bisect_left(of_place, (start,))
                    while at < len(of_place) and of_place[at][0] < end:
                        row.busy.append(of_place[at])
                        at += 1

    def find_ends(self, wholes):
        """When each operation is over, as far as the run says it."""
        resets = [row for row in self.rows if (row.base or "").startswith("RESET")]
        times = [row.time for row in resets]
        for row in self.rows:
            if not row.busy or row.length() == wholes[row.name]:
                row.ended = (row.busy[-1][1] if row.busy else row.stop, -1)
                continue
            later = resets[bisect.bisect_left(times, row.busy[-1][1]):]
            cut = next((reset for reset in later if reset.is_on(row.die) and reset.number > row.number), None)
            row.ended = cut and (cut.time, cut.number)


class Step:
    """A step as `plan show` prints it."""

    def __init__(self, shown, names):
        self.names, self.repeat, self.expect = set(shown["op_names"]), shown["repeat"], shown["expect"]
        self.during = self.after = None
        number = lambda label: names[label]
        if shown["when"]:
            during = re.fullmatch(r"in (.+)\.CORE_BUSY from (\S+) % to (\S+) %", shown["when"])
            after = re.fullmatch(r"(\S+)(?: to (\S+)| or more) µs after (.+)\.(start|end)", shown["when"])
            if during:
                self.during = (number(during[1]), Decimal(during[2]) / 100, Decimal(during[3]) / 100)
            else:
                self.after = (number(after[3]), after[4], ticks(after[1]), ticks(after[2]) if after[2] else None)
        self.places = []
        for place in shown["where"]:
            relative = re.fullmatch(r"(\w+) (same as|other than|next to) (.+)", place)
            if relative:
                self.places.append((relative[1], relative[2], number(relative[3])))
            else:
                part, numbers = place.split(" ", 1)
                ends = [[int(end) for end in one.split("-")] for one in numbers.replace(" ", "").split(",")]
                self.places.append((part, "in", [(one[0], one[-1]) for one in ends]))
        self.states_die = any(part == "die" for part, _, _ in self.places)
        refers = [place[2] for place in self.places if place[1] != "in"]
        self.refers_to = set(refers + [when[0] for when in (self.during, self.after) if when])

    def fits(self, row, chosen, wholes):
        if row.name not in self.names or self.expect and row.targets[0].get("exp_val") != self.expect:
            return False
        if chosen and not self.states_die and not row.is_on(chosen[0].die):
            return False
        return all(self.is_in_place(place, row, chosen) for place in self.places) and self.is_in_time(row, chosen, wholes)

    def is_in_place(self, place, row, chosen):
        part, relation, of = place
        if any(part not in own for own in row.targets):
            return False
        if relation == "in":
            return all(any(least <= own[part] <= most for least, most in of) for own in row.targets)
        others = [other for other in chosen[of].targets if part in other]
        if relation == "next to":
            same = ("die", "block") if part == "page" else ("die",)
            near = 1 if part == "page" else PLANES
            is_next = lambda own, other: abs(own[part] - other[part]) == near and all(own[one] == other[one] for one in same)
            return all(any(is_next(own, other) for other in others) for own in row.targets)
        values = {other[part] for other in others}
        if relation == "same as":
            return all(own[part] in values for own in row.targets)
        return bool(values) and all(own[part] not in values for own in row.targets)

    def is_in_time(self, row, chosen, wholes):
        if self.during:
            of, least, most = self.during
            done = 0
            for start, end in chosen[of].busy:
                # A SUSPEND or RESET starts in the phase that it cuts, and the end of the whole belongs to 100 %.
                is_end = row.time == end and (most == 1 or re.match("RESET|.*SUSPEND", row.base or ""))
                if start <= row.time < end or is_end:
                    part = Decimal(done + row.time - start) / wholes[chosen[of].name]
                    return least <= part and (part < most or most == 1)
                done += end - start
            return False
        if self.after:
            of, moment, least, most = self.after
            end = (chosen[of].time, -1) if moment == "start" else chosen[of].ended
            if end is None or row.number <= end[1] or row.time < end[0]:
                return False
            return least <= row.time - end[0] and (most is None or row.time - end[0] <= most)
        return True

    def is_too_late(self, row, chosen):
        if self.during:
            return row.time > chosen[self.during[0]].stop
        if self.after:
            of, moment, _, most = self.after
            end = chosen[of].time if moment == "start" else chosen[of].ended and chosen[of].ended[0]
            return end is None or most is not None and row.time > end + most
        return False


class Scenario:
    """A scenario as `plan show` prints it, of which the first step is not repeated."""

    def __init__(self, shown):
        steps = shown["steps"]
        names = {step["label"] or f"step {number}": number - 1 for number, step in enumerate(steps, 1)}
        self.name, self.alone = shown["name"], shown["between"] == "nothing"
        self.steps = [Step(step, names) for step in steps]
        self.each = [("op", names[axis[6:]]) if axis.startswith("op of ") else (axis, 0) for axis in shown["each"]]
        if self.steps[0].repeat != 1 or any(axis == "op" and step for axis, step in self.each):
            sys.exit(f"{self.name}: repeated first steps and operations of later steps are not counted here")

    def count(self, run, wholes):
        counts = collections.Counter()
        for row in run.rows:
            if self.steps[0].fits(row, [], wholes) and self.goes_on(run.rows, row.number + 1, [row], 1, 0, set(), wholes):
                counts.update(self.values(row))
        return counts

    def values(self, row):
        values = [()]
        for axis, _ in self.each:
            own = {row.name} if axis == "op" else {str(target[axis]) for target in row.targets if axis in target}
            values = [before + (value,) for before in values for value in sorted(own)]
        return values

    def goes_on(self, rows, start, chosen, at, repeated, others, wholes):
        """Whether the steps from `at` on can be chosen among the rows from `start` on. `others`: the dies of other operations."""
        if at == len(self.steps):
            return True
        step, others = self.steps[at], set(others)
        is_referred_to = any(at in later.refers_to for later in self.steps[at + 1:])
        for row in rows[start:] if len(rows) < 10000 else (rows[number] for number in range(start, len(rows))):
            if step.is_too_late(row, chosen):
                return False
            if step.fits(row, chosen, wholes) and not (self.alone and row.die in others):
                is_last = repeated + 1 == step.repeat
                if not is_last:
                    # Nothing refers to a repetition that is not the last: the first that fits will do.
                    repeated += 1
                    continue
                if self.goes_on(rows, row.number + 1, chosen + [row], at + 1, 0, others, wholes):
                    return True
                if not is_referred_to and not self.alone:
                    return False
            if self.alone and not row.is_forced:
                others |= {row.die} if row.die is not None else set(range(64))
                if any(one.die is None or one.die in others for one in chosen):
                    return False
        return False


def sequences(folders):
    return sorted(os.path.join(top, name) for folder in folders for top, _, _ in os.walk(folder)
                  for name in glob.glob("operation_sequence_*.csv", root_dir=top))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--print-plan", action="store_true")
    parser.add_argument("--shown")
    parser.add_argument("--report")
    parser.add_argument("--lengths", action="append", default=[])
    parser.add_argument("folders", nargs="*")
    arguments = parser.parse_args()
    if arguments.print_plan:
        print(PLAN, end="")
        return
    sys.setrecursionlimit(10000)
    shown = json.load(open(arguments.shown))
    runs = [Run(path) for path in sequences(arguments.folders)]
    wholes = collections.defaultdict(int)
    for run in runs + [Run(path) for path in sequences(arguments.lengths)]:
        for row in run.rows:
            wholes[row.name] = max(wholes[row.name], row.length())
    for run in runs:
        run.find_ends(wholes)
    report = json.load(open(arguments.report))["plan"]["scenarios"] if arguments.report else []
    reported = {one["name"]: {tuple(of["value"]): of["matches"] for of in one["values"] if of["matches"]} for one in report}
    for scenario in map(Scenario, shown["scenarios"]):
        if scenario.alone and not all(run.has_log for run in runs):
            sys.exit(f"{scenario.name}: only runs with `--proposer-log full` say what chains forced")
        counts = sum((scenario.count(run, wholes) for run in runs), collections.Counter())
        if arguments.report and dict(counts) != reported[scenario.name]:
            sys.exit(f"{scenario.name}: {dict(counts)} here, {reported[scenario.name]} in the report")
        if arguments.report and not counts:
            sys.exit(f"{scenario.name}: no match; a check of nothing")
        values = ", ".join(f"{' '.join(value)} {count}".strip() for value, count in sorted(counts.items()))
        print(f"{scenario.name}: {values} matches{', as reported' if arguments.report else ''}")


main()
