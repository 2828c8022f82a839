"""Checks the Python of docs/expected-data.md on a sequence of two runs: a page of three levels, read level by level and put out, and a page
that was copied."""

import sys
import tempfile
import unittest
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "expected-data.md"
SHOWN = {}
exec(DOCUMENT.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0], SHOWN)
pattern, wrong_outputs = SHOWN["pattern"], SHOWN["wrong_outputs"]

ROWS = [
    ["1,0,0,One_Shot_PGM_Multi_Plane_LSB,1,", {0: 1, 1: 1}],
    ["2,20,0,One_Shot_PGM_Multi_Plane_CSB,2,", {0: 2, 1: 2}],
    ["3,40,0,One_Shot_PGM_Multi_Plane_MSB_23h,3,", {0: 3, 1: 3}],
    ["4,60,0,Change_Read_Column_Random_Data_Output,4,", {1: 2}],
    ["1,80,0,Enhanced_Random_Data_Output_4K_Secondary,5,", {0: 3}],
    ["2,90,0,Page_Program_SLC,6,", {0: 6}],
    ["3,99,0,Plane_Level_Read_Column_Enhanced,7,", {0: 6}],
]
SIZE = 16384
RETURNED = {
    (4, 1): pattern(2, 1, "CSB", SIZE),
    (5, 0): pattern(3, 0, "MSB", SIZE)[:4096],  # a part of a page is its beginning
    (7, 0): pattern(6, 0, "", SIZE),
}


def wrong(dump):
    with tempfile.TemporaryDirectory() as folder:
        runs = [Path(folder) / "operation_sequence_261121_0000001.csv", Path(folder) / "operation_sequence_261121_0000002.csv"]
        for run, rows in zip(runs, (ROWS[:4], ROWS[4:])):
            lines = ["seq,time,op_id,op_name,op_uid,payload"]
            for start, data in rows:
                targets = ",".join(f'{{""die"":0,""plane"":{plane},""data"":{uid}}}' for plane, uid in data.items())
                lines.append(f'{start}"[{targets}]"')
            run.write_text("\n".join([*lines, ""]), encoding="utf-8")
        return [name for _, name, _ in wrong_outputs(runs, dump)]


class Cases(unittest.TestCase):
    def test_a_device_that_works_passes(self):
        self.assertEqual(wrong(RETURNED), [])

    def test_one_bit_fails(self):
        for key, good in RETURNED.items():
            for bit in (0, len(good) * 8 - 1):
                bad = bytearray(good)
                bad[bit // 8] ^= 1 << bit % 8
                self.assertEqual(len(wrong({**RETURNED, key: bytes(bad)})), 1)

    def test_another_operation_plane_or_level_fails(self):
        for other in (pattern(1, 1, "LSB", SIZE), pattern(2, 0, "CSB", SIZE), pattern(2, 1, "MSB", SIZE)):
            self.assertEqual(wrong({**RETURNED, (4, 1): other}), ["Change_Read_Column_Random_Data_Output"])


if __name__ == "__main__":
    sys.exit(unittest.main())
