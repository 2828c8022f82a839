"""Writes files of fails that are larger than the memory in which they are to be read: large.py SAMPLE.STDF

SAMPLE.STDF gives the records of large.stdf. large.csv has a wide column that is not looked at. Both have 50 MB or more.
"""

import pathlib
import sys

SIZE = 50_000_000
ROW = b"1,1,7," + b"5" * 994 + b"\n"


def ends(data):
    """Where each record ends, with its type."""
    at = 0
    while at < len(data):
        kind = (data[at + 2], data[at + 3])
        at += 4 + int.from_bytes(data[at : at + 2], "little")
        yield at, kind


def repeated(sample):
    """The sample with its first functional test, and the notes of testers between, again and again."""
    at = 0
    for end, kind in ends(sample):
        if kind == (15, 20):
            record = sample[at:end]
            note = (1000).to_bytes(2, "little") + bytes([50, 30, 255]) + b"x" * 255 + bytes(744)
            return sample[:at] + (record + note) * (SIZE // len(record + note)) + sample[at:]
        at = end
    sys.exit("the sample has no functional test")


pathlib.Path("large.csv").write_bytes(b"site,run,op_uid,got\n" + ROW * (SIZE // len(ROW)))
pathlib.Path("large.stdf").write_bytes(repeated(pathlib.Path(sys.argv[1]).read_bytes()))
