"""A small model of a NAND array: pages, registers, latches and what is suspended. It executes the operations that a site's runs wrote and
says what every data output returns and every status read shows. Written from the rules of the device alone, it shares nothing with the
generator or the verifier. It knows the operation bases of the built-in device, which the predecessor's files have too.

    python3 model.py [--expect data] [--status full] FOLDER...

The flags are those that the runs were generated with; a folder is that of a site and holds its tables as CSV from the first run on.
Prints what differs from what was written, first those of the lowest rows, and what was compared. Exits with 1 if anything differs.

What an operation does is taken from operation_sequence. When its array is done comes from operation_timeline and op_state_timeline: an
operation that a reset or SUSPEND cut for good has spent less time in CORE_BUSY than others of its name, and has no effect."""

import argparse
import csv
import heapq
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

LEVELS = ("LSB", "CSB", "MSB")
READS = {"READ", "READ4K", "PLANE_READ", "PLANE_READ4K", "COPYBACK_READ"}
CACHE_READS, CACHE_READ_ENDS = {"CACHE_READ", "PLANE_CACHE_READ"}, {"CACHE_READ_END", "PLANE_CACHE_READ_END"}
LOADS = {f"ONESHOT_{copyback}PROGRAM_{level}" for copyback in ("", "COPYBACK_") for level in LEVELS}
ONE_SHOTS = {"ONESHOT_PROGRAM_MSB_23H", "ONESHOT_PROGRAM_EXEC_MSB", "ONESHOT_CACHE_PROGRAM", "ONESHOT_COPYBACK_PROGRAM_EXEC_MSB"}
PROGRAMS = {"PROGRAM_SLC", "CACHE_PROGRAM_SLC", "COPYBACK_PROGRAM_SLC", "ALLWL_PROGRAM", *ONE_SHOTS}
OUTPUTS, STATUS_READS, RESETS = {"DOUT", "DOUT4K"}, {"SR", "SR_ADD"}, {"RESET", "RESET_LUN"}


class Operation:
    def __init__(self, uid, name, base, start, done, targets):
        self.uid, self.name, self.base, self.targets = uid, name, base, targets
        self.start, self.done = start, done  # ps; `done` is the end of CORE_BUSY, or None if it never came
        self.level = next((level for level in LEVELS if level in name), None)
        self.die, self.copyback = targets[0].get("die"), "COPYBACK" in base
        self.content = {}  # of a program: plane -> {level: data}; without levels the key is None


class Array:
    def __init__(self):
        self.pages = defaultdict(dict)  # (die, block) -> {page: {level: data}}; page None stands for the pages that were closed
        self.page_register, self.output_register = {}, {}  # (die, plane) -> (data, (block, page), the base that brought it)
        self.latches = defaultdict(dict)  # (die, of copyback) -> {level: {plane: data}}
        self.last = {}  # (die, axis) -> the erase or program that started last
        self.suspended = set()  # (die, axis)
        self.pending = []  # (done, uid, operation)

    def start(self, operation):
        """What happens at the start; the effects of the array are left for `finish`. Returns the data carried for each target."""
        base, die, targets = operation.base, operation.die, operation.targets
        self.finish(operation.start)
        if operation.done is not None:
            heapq.heappush(self.pending, (operation.done, operation.uid, operation))
        if base in OUTPUTS:
            return [self.output_register.get((die, target["plane"]), (None,))[0] for target in targets]
        if base in RESETS:
            self.reset(die)
        elif base.endswith("_RESUME"):
            self.suspended.discard((die, base.removesuffix("_RESUME")))
            self.invalidate(self.last[die, base.removesuffix("_RESUME")])
        elif base == "ERASE":
            self.last[die, "ERASE"] = operation
            self.invalidate(operation)
            for target in targets:
                self.pages.pop((die, target["block"]), None)
        elif base in LOADS or base in PROGRAMS:
            operation.content = {target["plane"]: self.brought(operation, target["plane"]) for target in targets}
            if base in PROGRAMS:
                self.last[die, "PROGRAM"] = operation
                self.invalidate(operation)
            if not operation.copyback:
                own = base.removeprefix("ONESHOT_PROGRAM_") if base in LOADS else "MSB" if base in ONE_SHOTS else None
                return [operation.content[target["plane"]][own] for target in targets]
        return [None] * len(targets)

    def brought(self, operation, plane):
        """What a load or program is about to store on a plane, by level."""
        own = self.page_register.get((operation.die, plane), (None,))[0] if operation.copyback else operation.uid
        if operation.base in LOADS:
            return {operation.base[-3:]: own}
        if operation.base not in ONE_SHOTS:
            return {None: own}
        latch = self.latches[operation.die, operation.copyback]
        return {"MSB": own, **{level: data[plane] for level, data in latch.items() if plane in data}}

    def finish(self, time):
        """The effects of every array that is done by then."""
        while self.pending and self.pending[0][0] <= time:
            operation = heapq.heappop(self.pending)[2]
            if operation.base.endswith("_SUSPEND"):
                self.suspended.add((operation.die, operation.base.removesuffix("_SUSPEND")))
            elif operation.base in LOADS:
                level = operation.base[-3:]
                loaded = {plane: content[level] for plane, content in operation.content.items()}
                self.latches[operation.die, operation.copyback][level] = loaded
            elif operation.base in ONE_SHOTS:
                self.latches.pop((operation.die, operation.copyback), None)
            for target in operation.targets:
                self.finish_target(operation, target)

    def finish_target(self, operation, target):
        base, address = operation.base, (target.get("block"), target.get("page"))
        if base in PROGRAMS:
            page = None if base == "ALLWL_PROGRAM" else target["page"]
            self.pages[operation.die, target["block"]][page] = operation.content[target["plane"]]
        if base not in READS | CACHE_READS | CACHE_READ_ENDS | {"RECOVERY_RD"}:
            return
        register = operation.die, target["plane"]
        if base in CACHE_READS | CACHE_READ_ENDS:
            moved = self.page_register.get(register)
            self.output_register[register] = moved and (*moved[:2], base)
        if base in READS | CACHE_READS:
            pages = self.pages[operation.die, target["block"]]
            content = pages.get(target["page"], pages.get(None, {}))
        elif base == "RECOVERY_RD":
            content = self.last[operation.die, "PROGRAM"].content[target["plane"]]
        else:
            return
        self.page_register[register] = content.get(operation.level, content.get(None)), address, base
        if base not in CACHE_READS:
            self.output_register[register] = self.page_register[register]

    def invalidate(self, operation):
        for target in operation.targets:
            self.page_register.pop((operation.die, target["plane"]), None)
            self.output_register.pop((operation.die, target["plane"]), None)

    def reset(self, die):
        self.suspended -= {(die, "ERASE"), (die, "PROGRAM")}
        for state in (self.page_register, self.output_register, self.latches):
            for key in [key for key in state if key[0] == die]:
                del state[key]


def picoseconds(text):
    whole, _, decimals = text.partition(".")
    return int(whole) * 10**6 + int(decimals.ljust(6, "0"))


def rows(folder, table):
    for file in sorted(folder.glob(f"{table}_[0-9]*.csv"), key=lambda file: file.stem.rsplit("_", 1)[1]):
        with open(file, newline="", encoding="utf-8") as lines:
            reader = csv.DictReader(lines)
            for row in reader:
                yield f"{file}:{reader.line_num}", row


def read_phases(folder):
    """Every phase of every plane, in order of start: (start, end, die, plane, base, phase)."""
    phases = []
    for _, row in rows(folder, "op_state_timeline"):
        base, phase = map(sys.intern, row["op_state"].rsplit(".", 1))
        phases.append((picoseconds(row["start"]), picoseconds(row["end"]), int(row["die"]), int(row["plane"]), base, phase))
    return sorted(phases)


def read_times(folder, phases):
    """Of every operation: uid -> (base, start, done)."""
    at = {(start, die, plane): (end, phase) for start, end, die, plane, _, phase in phases}
    with_array = {base for *_, base, phase in phases if phase == "CORE_BUSY"}
    seen, first, ended, busy, full = set(), {}, {}, Counter(), Counter()
    for _, row in rows(folder, "operation_timeline"):
        uid, base, start, end = int(row["op_uid"]), row["op_base"], picoseconds(row["start"]), picoseconds(row["end"])
        if (uid, start) in seen:
            continue  # one target says it all
        seen.add((uid, start))
        name, _ = first.setdefault(uid, (row["op_name"], (base, start)))
        if base not in with_array:
            ended[uid] = end
        while base in with_array and start < end:
            after, phase = at[start, int(row["die"]), int(row["plane"])]
            if phase in ("ISSUE", "CORE_BUSY"):
                ended[uid] = after
                busy[uid] += (after - start) * (phase == "CORE_BUSY")
            start = after
        full[name] = max(full[name], busy[uid])
    return {uid: (*times, ended.get(uid) if busy[uid] == full[name] else None) for uid, (name, times) in first.items()}


class Comparison:
    def __init__(self, expect_data, full_status):
        self.expect_data, self.full_status = expect_data, full_status
        self.differences, self.compared, self.operations = [], Counter(), 0

    def site(self, folder):
        array, phases = Array(), read_phases(folder)
        times, upcoming, current = read_times(folder, phases), iter(phases), defaultdict(dict)
        phase = next(upcoming, None)
        for place, row in rows(folder, "operation_sequence"):
            uid, targets = int(row["op_uid"]), json.loads(row["payload"])
            operation = Operation(uid, row["op_name"], *times[uid], targets)
            while phase and phase[0] <= operation.start:
                current[phase[2]][phase[3]] = phase[1], phase[5]
                phase = next(upcoming, None)
            self.operations += 1
            place = f"{place}: seq {row['seq']} {row['op_name']}"
            expected = array.start(operation)
            for target, data in zip(targets, expected):
                self.compare_data(place, array, operation, target, data)
                if operation.base in STATUS_READS:
                    now = {kind for end, kind in current[operation.die].values() if end > operation.start}
                    self.compare_status(place, now, array.suspended, target)

    def compare_data(self, place, array, operation, target, data):
        if operation.base in OUTPUTS:
            _, address, source = array.output_register.get((operation.die, target["plane"])) or (None, None, "nothing")
            self.differ(place, target, "address", (target["block"], target["page"]), address)
            self.compared[f"data put out after {source}"] += 1
        elif data is not None:
            self.compared["data brought in"] += 1
        self.differ(place, target, "data", target.get("data"), data if self.expect_data else None)
        if "data" in target and list(target)[-1] != "data":
            self.differ(place, target, "last field", list(target)[-1], "data")

    def compare_status(self, place, phases, suspended, target):
        word = "busy" if "CORE_BUSY" in phases else "extrdy" if phases & {"DATA_OUT", "DATA_IN"} else "ready"
        axes = [["no_", ""][(target["die"], axis) in suspended] + short for axis, short in (("ERASE", "erasus"), ("PROGRAM", "pgmsus"))]
        expected = [word, *axes] if self.full_status else word
        self.compared["status " + (" ".join(expected) if self.full_status else word)] += 1
        self.differ(place, target, "exp_val", target.get("exp_val"), expected)

    def differ(self, place, target, what, written, expected):
        if written != expected:
            where = " ".join(f"{key} {target[key]}" for key in ("die", "plane") if key in target)
            self.differences.append(f"{place}: {what} of {where} is {json.dumps(written)}, expected {json.dumps(expected)}")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--expect", choices=["data"])
    arguments.add_argument("--status", choices=["full"])
    arguments.add_argument("folders", nargs="+", type=Path)
    arguments = arguments.parse_args()
    comparison = Comparison(arguments.expect == "data", arguments.status == "full")
    for folder in arguments.folders:
        comparison.site(folder)
    print(*comparison.differences[:10], sep="\n", end="\n" if comparison.differences else "")
    for what, count in sorted(comparison.compared.items()):
        print(f"{count:9} {what}")
    print(f"{comparison.operations:9} operations, {len(comparison.differences)} differences")
    return 1 if comparison.differences or not comparison.operations else 0


if __name__ == "__main__":
    sys.exit(main())
