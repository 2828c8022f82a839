"""Cases for model.py, computed by hand. Each case writes the tables of a small site, with the data and the status that the rules demand. The
model must agree with all of it, and must name every value that is then changed."""

import csv
import json
import sys
import tempfile
import unittest
from pathlib import Path

from model import LOADS, OUTPUTS, PROGRAMS, STATUS_READS, Comparison

HEADERS = {
    "operation_sequence": "seq time op_id op_name op_uid payload",
    "operation_timeline": "start end die plane op_name op_base source op_uid",
    "op_state_timeline": "start end die plane op_state",
}
PLANES = 2
WITHOUT_ARRAY = OUTPUTS | STATUS_READS | {"RESET"}
DIE_WIDE = {"ERASE", *LOADS, *PROGRAMS, "ERASE_SUSPEND", "ERASE_RESUME", "PROGRAM_SUSPEND", "PROGRAM_RESUME", "RESET"}


def op(start, base, *targets, name=None, busy=None, window=0, run=1):
    """An operation that starts at µs `start`: 1 µs of ISSUE, then CORE_BUSY from µs to µs as `busy` lists it (10 µs in one go by default),
    then a window of `window` µs. A target without plane is one of die 0 alone."""
    if busy is None:
        busy = [] if base in WITHOUT_ARRAY else [(start + 1, start + 11)]
    return {"start": start, "base": base, "name": name or base.title(), "targets": targets, "busy": busy, "window": window, "run": run}


def at(block, page=0, data=None, die=0):
    """A target; block b is on plane b mod 2."""
    target = {"die": die, "plane": block % PLANES, "block": block, "page": page, "celltype": "any"}
    return target if data is None else {**target, "data": data}


def status(start, *words, die=0):
    return op(start, "SR", {"die": die, "exp_val": words[0] if len(words) == 1 else list(words)})


def write(folder, operations):
    tables = {(table, run): [] for table in HEADERS for run in {operation["run"] for operation in operations}}
    for uid, operation in enumerate(operations, start=1):
        start, base, run = operation["start"], operation["base"], operation["run"]
        tables["operation_sequence", run].append([uid, start, 0, operation["name"], uid, json.dumps(operation["targets"])])
        phases = [(start, start + 1, "ISSUE"), *((*span, "CORE_BUSY") for span in operation["busy"])]
        if operation["window"]:
            phases.append((phases[-1][1], phases[-1][1] + operation["window"], "DATA_IN" if base in PROGRAMS else "DATA_OUT"))
        stretches = []
        for begin, end, phase in phases:
            if stretches and stretches[-1][1] == begin:
                stretches[-1][1] = end
            else:
                stretches.append([begin, end])
        for target in operation["targets"]:
            row = [target["die"], target.get("plane", 0), operation["name"], base]
            for begin, end in stretches:
                tables["operation_timeline", run].append([begin, end, *row, "" if begin == start else "RESUME_CHAIN", uid])
        planes = range(PLANES) if base in DIE_WIDE else [target.get("plane", 0) for target in operation["targets"]]
        for plane in planes if base not in OUTPUTS | STATUS_READS else ():
            for begin, end, phase in phases:
                tables["op_state_timeline", run].append([begin, end, operation["targets"][0]["die"], plane, f"{base}.{phase}"])
    for (table, run), lines in tables.items():
        with open(folder / f"{table}_261121_{run:07}.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([HEADERS[table].split(), *lines])


def compare(operations):
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), operations)
        comparison = Comparison(expect_data=True, full_status=True)
        comparison.site(Path(folder))
        return comparison.differences


class Cases(unittest.TestCase):
    def agrees(self, *operations):
        self.assertEqual(compare(operations), [])
        for operation in operations:
            for target in operation["targets"]:
                for field in ("data", "exp_val"):
                    if field in target:
                        kept, target[field] = target[field], 999
                        self.assertEqual(len(compare(operations)), 1, f"{operation['name']} {target}")
                        target[field] = kept

    def test_a_page_of_three_levels_holds_three_data(self):
        self.agrees(
            op(0, "ERASE", at(0)),
            op(20, "ONESHOT_PROGRAM_LSB", at(0, 0, 2)),
            op(40, "ONESHOT_PROGRAM_CSB", at(0, 0, 3)),
            op(60, "ONESHOT_PROGRAM_MSB_23H", at(0, 0, 4)),
            op(80, "READ", at(0), name="Read_LSB"),
            op(92, "DOUT", at(0, 0, 2)),
            op(100, "PLANE_READ4K", at(0), name="Plane_Level_4KB_Page_Read_CSB"),
            op(112, "DOUT4K", at(0, 0, 3)),
            op(120, "READ", at(0), name="Read_MSB_AARV"),
            op(132, "DOUT", at(0, 0, 4)),
            op(140, "DOUT", at(0, 0, 4)),
        )

    def test_execution_takes_the_loaded_msb_and_else_brings_its_own(self):
        self.agrees(
            op(0, "ERASE", at(0)),
            op(20, "ONESHOT_PROGRAM_LSB", at(0, 0, 2)),
            op(40, "ONESHOT_PROGRAM_CSB", at(0, 0, 3)),
            op(60, "ONESHOT_PROGRAM_MSB", at(0, 0, 4)),
            op(80, "ONESHOT_PROGRAM_EXEC_MSB", at(0, 0, 4)),
            op(100, "ONESHOT_PROGRAM_LSB", at(0, 1, 6)),
            op(120, "ONESHOT_PROGRAM_CSB", at(0, 1, 7)),
            op(140, "ONESHOT_PROGRAM_EXEC_MSB", at(0, 1, 8)),
            op(160, "READ", at(0, 0), name="Read_MSB"),
            op(172, "DOUT", at(0, 0, 4)),
            op(180, "READ", at(0, 1), name="Read_MSB"),
            op(192, "DOUT", at(0, 1, 8)),
        )

    def test_a_load_in_the_window_of_a_cache_program_is_of_the_next_page(self):
        self.agrees(
            op(0, "ERASE", at(0)),
            op(20, "ONESHOT_PROGRAM_LSB", at(0, 0, 2)),
            op(40, "ONESHOT_PROGRAM_CSB", at(0, 0, 3)),
            op(60, "ONESHOT_CACHE_PROGRAM", at(0, 0, 4), window=2),
            op(73, "ONESHOT_PROGRAM_LSB", at(0, 1, 5)),
            op(90, "ONESHOT_PROGRAM_CSB", at(0, 1, 6)),
            op(110, "ONESHOT_PROGRAM_MSB_23H", at(0, 1, 7)),
            op(130, "READ", at(0, 0), name="Read_LSB"),
            op(142, "DOUT", at(0, 0, 2)),
            op(150, "READ", at(0, 1), name="Read_LSB"),
            op(162, "DOUT", at(0, 1, 5)),
        )

    def test_a_cache_read_puts_out_the_page_before(self):
        self.agrees(
            op(0, "ERASE", at(0)),
            op(20, "PROGRAM_SLC", at(0, 0, 2)),
            op(40, "CACHE_PROGRAM_SLC", at(0, 1, 3)),
            op(60, "PROGRAM_SLC", at(0, 2, 4)),
            op(80, "READ", at(0, 0)),
            op(92, "CACHE_READ", at(0, 1)),
            op(104, "DOUT", at(0, 0, 2)),
            op(110, "CACHE_READ", at(0, 2)),
            op(122, "DOUT", at(0, 1, 3)),
            op(130, "CACHE_READ_END", at(0, 2)),
            op(142, "DOUT", at(0, 2, 4)),
        )

    def test_the_register_changes_at_the_end_of_core_busy(self):
        self.agrees(
            op(0, "ERASE", at(0)),
            op(20, "PROGRAM_SLC", at(0, 0, 2)),
            op(40, "PROGRAM_SLC", at(0, 1, 3)),
            op(60, "PLANE_READ", at(0, 0), window=30),
            op(72, "PLANE_CACHE_READ", at(0, 1)),
            op(82.99, "DOUT", at(0, 0, 2)),
            op(85, "PLANE_CACHE_READ_END", at(0, 1)),
            op(95.99, "DOUT", at(0, 0, 2)),
            op(96, "DOUT", at(0, 1, 3)),
        )

    def test_copyback_keeps_the_data_and_carries_none(self):
        self.agrees(
            op(0, "ERASE", at(0)),
            op(20, "ERASE", at(2)),
            op(40, "PROGRAM_SLC", at(0, 0, 3)),
            op(60, "COPYBACK_READ", at(0, 0)),
            op(80, "DOUT", at(0, 0, 3)),
            op(100, "COPYBACK_PROGRAM_SLC", at(2, 0)),
            op(120, "ERASE", at(0)),
            op(140, "READ", at(2, 0)),
            op(160, "DOUT", at(2, 0, 3)),
        )

    def test_a_copyback_of_three_levels_takes_the_register_thrice(self):
        self.agrees(
            op(0, "ERASE", at(0)),
            op(20, "PROGRAM_SLC", at(0, 0, 2)),
            op(40, "PROGRAM_SLC", at(0, 1, 3)),
            op(60, "PROGRAM_SLC", at(0, 2, 4)),
            op(80, "ERASE", at(2)),
            op(100, "COPYBACK_READ", at(0, 0)),
            op(120, "ONESHOT_COPYBACK_PROGRAM_LSB", at(2, 0)),
            op(140, "COPYBACK_READ", at(0, 1)),
            op(160, "ONESHOT_COPYBACK_PROGRAM_CSB", at(2, 0)),
            op(180, "COPYBACK_READ", at(0, 2)),
            op(200, "ONESHOT_COPYBACK_PROGRAM_EXEC_MSB", at(2, 0)),
            *(
                step
                for start, level, data in ((220, "LSB", 2), (240, "CSB", 3), (260, "MSB", 4))
                for step in (op(start, "READ", at(2, 0), name=f"Read_{level}"), op(start + 12, "DOUT", at(2, 0, data)))
            ),
        )

    def test_a_recovery_read_gives_the_data_of_the_suspended_program(self):
        self.agrees(
            op(0, "ERASE", at(0)),
            op(20, "ONESHOT_PROGRAM_LSB", at(0, 0, 2)),
            op(40, "ONESHOT_PROGRAM_CSB", at(0, 0, 3)),
            op(60, "ONESHOT_PROGRAM_MSB_23H", at(0, 0, 4), busy=[(61, 65), (140, 146)]),
            op(65, "PROGRAM_SUSPEND", {"die": 0}),
            op(80, "RECOVERY_RD", at(0), name="Recovery_LSB"),
            op(92, "DOUT", at(0, 0, 2)),
            op(100, "RECOVERY_RD", at(0), name="Recovery_MSB"),
            op(112, "DOUT", at(0, 0, 4)),
            op(129, "PROGRAM_RESUME", {"die": 0}),
            op(150, "READ", at(0), name="Read_CSB"),
            op(162, "DOUT", at(0, 0, 3)),
        )

    def test_resume_empties_the_registers_of_what_it_revives(self):
        self.agrees(
            op(0, "ERASE", at(0)),
            op(20, "PROGRAM_SLC", at(0, 0, 2)),
            op(40, "ERASE", at(2), busy=[(41, 45), (101, 107)]),
            op(45, "ERASE_SUSPEND", {"die": 0}),
            op(60, "READ", at(0, 0)),
            op(72, "DOUT", at(0, 0, 2)),
            op(90, "ERASE_RESUME", {"die": 0}),
            op(110, "READ", at(0, 0)),
            op(122, "DOUT", at(0, 0, 2)),
        )

    def test_closing_a_block_fills_what_is_left_of_it(self):
        self.agrees(
            op(0, "ERASE", at(0)),
            op(20, "PROGRAM_SLC", at(0, 0, 2)),
            op(40, "ALLWL_PROGRAM", at(0, 1, 3)),
            op(60, "READ", at(0, 0)),
            op(72, "DOUT", at(0, 0, 2)),
            op(80, "READ", at(0, 77)),
            op(92, "DOUT", at(0, 77, 3)),
        )

    def test_what_a_reset_cuts_has_no_content(self):
        operations = [
            op(0, "ERASE", at(0)),
            op(20, "PROGRAM_SLC", at(0, 0, 2)),
            op(40, "PROGRAM_SLC", at(0, 1, 3), busy=[(41, 45)]),
            op(45, "RESET", {"die": 0}),
            op(60, "READ", at(0, 0)),
            op(72, "DOUT", at(0, 0, 2)),
            op(80, "READ", at(0, 1)),
            op(92, "DOUT", at(0, 1)),
        ]
        self.agrees(*operations)
        operations[-1]["targets"][0]["data"] = 3
        self.assertEqual(len(compare(operations)), 1)

    def test_each_plane_has_its_own_data(self):
        self.agrees(
            op(0, "ERASE", at(0), at(1)),
            op(20, "PROGRAM_SLC", at(0, 0, 2), at(1, 0, 2)),
            op(40, "PROGRAM_SLC", at(0, 1, 3)),
            op(60, "PROGRAM_SLC", at(1, 1, 4)),
            op(80, "READ", at(0, 1), at(1, 1)),
            op(92, "DOUT", at(0, 1, 3)),
            op(94, "DOUT", at(1, 1, 4)),
            op(100, "COPYBACK_READ", at(0, 0), at(1, 0)),
            op(112, "DOUT", at(1, 0, 2)),
            op(120, "ERASE", at(4), at(5)),
        )

    def test_a_copyback_of_several_planes_keeps_the_data_of_each(self):
        self.agrees(
            op(0, "ERASE", at(0), at(1)),
            op(20, "PROGRAM_SLC", at(0, 0, 2)),
            op(40, "PROGRAM_SLC", at(1, 0, 3)),
            op(60, "ERASE", at(2), at(3)),
            op(80, "COPYBACK_READ", at(0, 0), at(1, 0)),
            op(100, "ONESHOT_COPYBACK_PROGRAM_LSB", at(2), at(3)),
            op(120, "COPYBACK_READ", at(0, 0), at(1, 0)),
            op(140, "ONESHOT_COPYBACK_PROGRAM_CSB", at(2), at(3)),
            op(160, "COPYBACK_READ", at(0, 0), at(1, 0)),
            op(180, "ONESHOT_COPYBACK_PROGRAM_EXEC_MSB", at(2), at(3)),
            op(200, "READ", at(2), at(3), name="Read_LSB"),
            op(212, "DOUT", at(2, 0, 2)),
            op(214, "DOUT", at(3, 0, 3)),
        )

    def test_the_latches_of_copyback_are_others(self):
        self.agrees(
            op(0, "ERASE", at(0)),
            op(20, "PROGRAM_SLC", at(0, 0, 2)),
            op(40, "ERASE", at(2)),
            op(60, "ERASE", at(4)),
            op(80, "COPYBACK_READ", at(0, 0)),
            op(100, "ONESHOT_COPYBACK_PROGRAM_LSB", at(2)),
            op(120, "ONESHOT_PROGRAM_LSB", at(4, 0, 7)),
            op(140, "ONESHOT_PROGRAM_CSB", at(4, 0, 8)),
            op(160, "ONESHOT_PROGRAM_MSB_23H", at(4, 0, 9)),
            op(180, "COPYBACK_READ", at(0, 0)),
            op(200, "ONESHOT_COPYBACK_PROGRAM_CSB", at(2)),
            op(220, "COPYBACK_READ", at(0, 0)),
            op(240, "ONESHOT_COPYBACK_PROGRAM_EXEC_MSB", at(2)),
            op(260, "READ", at(2), name="Read_LSB"),
            op(272, "DOUT", at(2, 0, 2)),
            op(280, "READ", at(4), name="Read_LSB"),
            op(292, "DOUT", at(4, 0, 7)),
        )

    def test_a_reset_clears_the_latches(self):
        self.agrees(
            op(0, "ERASE", at(0)),
            op(20, "ONESHOT_PROGRAM_LSB", at(0, 0, 2)),
            op(40, "ONESHOT_PROGRAM_CSB", at(0, 0, 3)),
            op(60, "ONESHOT_PROGRAM_MSB", at(0, 0, 4)),
            op(80, "RESET", {"die": 0}),
            op(100, "ONESHOT_PROGRAM_LSB", at(0, 0, 6)),
            op(120, "ONESHOT_PROGRAM_CSB", at(0, 0, 7)),
            op(140, "ONESHOT_PROGRAM_EXEC_MSB", at(0, 0, 8)),
            op(160, "READ", at(0), name="Read_MSB"),
            op(172, "DOUT", at(0, 0, 8)),
        )

    def test_an_empty_register_puts_out_nothing(self):
        begin = [
            op(0, "ERASE", at(2), busy=[(1, 2), (61, 70)]),
            op(2, "ERASE_SUSPEND", {"die": 0}),
            op(15, "PROGRAM_SLC", at(0, 0, 3)),
            op(30, "READ", at(0, 0)),
            op(42, "DOUT", at(0, 0, 3)),
        ]
        for emptied_by in (op(50, "PROGRAM_SLC", at(0, 1, 6)), op(50, "RESET", {"die": 0}), op(50, "ERASE_RESUME", {"die": 0})):
            differences = compare([*begin, emptied_by, op(80, "DOUT", at(0, 0, 3))])
            self.assertEqual(len(differences), 2, differences)  # neither the address nor the data is there

    def test_an_erased_page_has_no_data(self):
        operations = [
            op(0, "ERASE", at(0)),
            op(20, "PROGRAM_SLC", at(0, 0, 2)),
            op(40, "ERASE", at(0)),
            op(60, "READ", at(0, 0)),
            op(72, "DOUT", at(0, 0, 2)),
        ]
        self.assertEqual(len(compare(operations)), 1)

    def test_a_read_whose_level_nobody_can_tell_expects_nothing(self):
        self.agrees(
            op(0, "ERASE", at(0)),
            op(20, "ONESHOT_PROGRAM_LSB", at(0, 0, 2)),
            op(40, "ONESHOT_PROGRAM_CSB", at(0, 0, 3)),
            op(60, "ONESHOT_PROGRAM_MSB_23H", at(0, 0, 4)),
            op(80, "READ", at(0), name="Read_Raw"),
            op(92, "DOUT", at(0)),
        )

    def test_an_output_carries_the_address_that_the_register_holds(self):
        operations = [
            op(0, "ERASE", at(0)),
            op(20, "PROGRAM_SLC", at(0, 0, 2)),
            op(40, "READ", at(0, 0)),
            op(52, "DOUT", at(0, 1, 2)),
        ]
        self.assertEqual(len(compare(operations)), 1)

    def test_data_outlives_its_run(self):
        self.agrees(
            op(0, "ERASE", at(0)),
            op(20, "PROGRAM_SLC", at(0, 0, 2)),
            op(40, "READ", at(0, 0), run=2),
            op(52, "DOUT", at(0, 0, 2), run=2),
        )

    def test_the_word_of_a_status_follows_the_phases(self):
        none = "no_erasus", "no_pgmsus"
        self.agrees(
            status(0, "ready", *none),
            op(10, "READ", at(1), window=5),
            status(10.99, "ready", *none),
            status(11, "busy", *none),
            status(20.99, "busy", *none),
            status(21, "extrdy", *none),
            status(25.99, "extrdy", *none),
            status(26, "ready", *none),
            op(30, "CACHE_PROGRAM_SLC", at(0, 0, 9), window=5),
            status(42, "extrdy", *none),
            status(42, "ready", *none, die=1),
        )

    def test_nested_suspension_shows_from_end_to_start(self):
        self.agrees(
            op(0, "ERASE", at(0), busy=[(1, 5), (211, 217)]),
            op(5, "ERASE_SUSPEND", {"die": 0}),
            status(15.99, "busy", "no_erasus", "no_pgmsus"),
            status(16, "ready", "erasus", "no_pgmsus"),
            op(20, "PROGRAM_SLC", at(1, 0, 5), busy=[(21, 24), (111, 118)]),
            op(24, "PROGRAM_SUSPEND", {"die": 0}),
            status(34.99, "busy", "erasus", "no_pgmsus"),
            status(35, "ready", "erasus", "pgmsus"),
            status(35, "ready", "no_erasus", "no_pgmsus", die=1),
            status(99.99, "ready", "erasus", "pgmsus"),
            op(100, "PROGRAM_RESUME", {"die": 0}),
            status(100, "ready", "erasus", "no_pgmsus"),
            status(199.99, "ready", "erasus", "no_pgmsus"),
            op(200, "ERASE_RESUME", {"die": 0}),
            status(200, "ready", "no_erasus", "no_pgmsus"),
        )

    def test_a_status_before_resume_at_the_same_instant_sees_the_suspension(self):
        self.agrees(
            op(0, "ERASE", at(0), busy=[(1, 5), (61, 67)]),
            op(5, "ERASE_SUSPEND", {"die": 0}),
            status(50, "ready", "erasus", "no_pgmsus"),
            op(50, "ERASE_RESUME", {"die": 0}),
            status(50, "ready", "no_erasus", "no_pgmsus"),
        )

    def test_a_reset_ends_both_suspensions_at_its_start(self):
        self.agrees(
            op(0, "ERASE", at(0), busy=[(1, 5)]),
            op(5, "ERASE_SUSPEND", {"die": 0}),
            op(20, "PROGRAM_SLC", at(1, 0, 3), busy=[(21, 24)]),
            op(24, "PROGRAM_SUSPEND", {"die": 0}),
            status(39.99, "ready", "erasus", "pgmsus"),
            op(40, "RESET", {"die": 0}),
            status(40, "ready", "no_erasus", "no_pgmsus"),
        )

    def test_a_suspend_that_a_reset_cuts_suspends_nothing(self):
        self.agrees(
            op(0, "ERASE", at(0), busy=[(1, 5), (41, 47)]),
            op(5, "ERASE_SUSPEND", {"die": 0}),
            status(16, "ready", "erasus", "no_pgmsus"),
            op(30, "ERASE_RESUME", {"die": 0}),
            op(60, "ERASE", at(0), busy=[(61, 65)]),
            op(65, "ERASE_SUSPEND", {"die": 0}, busy=[(66, 70)]),
            op(70, "RESET", {"die": 0}),
            status(90, "ready", "no_erasus", "no_pgmsus"),
        )


if __name__ == "__main__":
    sys.exit(unittest.main())
