"""Measures that fails of any length are read in the same memory: memory.py ANSWERS SAMPLE.STDF

ANSWERS is the example `answers`. SAMPLE.STDF gives the records of a part. Exits with 1 if a thousand times as many answers take a quarter more.
"""

import pathlib
import resource
import subprocess
import sys
import time

ROWS = 400_000


def record(data, at):
    """The end of the record that begins at a place, and its type."""
    length = int.from_bytes(data[at : at + 2], "little")
    return at + 4 + length, (data[at + 2], data[at + 3])


def repeated(sample, count):
    """The sample with its first functional test so many times."""
    at, whole, is_first = 0, [], True
    while at < len(sample):
        end, kind = record(sample, at)
        is_test = kind == (15, 20)
        whole.append(sample[at:end] * (count if is_test and is_first else 1))
        is_first &= not is_test
        at = end
    return b"".join(whole)


def measured(program, path):
    """The most memory that reading a file took so far in any child, in KiB, and the seconds that it took."""
    began = time.monotonic()
    subprocess.run([program, path], stdout=subprocess.DEVNULL, check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, time.monotonic() - began


def main():
    program, sample = sys.argv[1], pathlib.Path(sys.argv[2]).read_bytes()
    small = {"csv": b"site,run,op_uid\n" + b"1,1,7\n" * (ROWS // 1000), "stdf": repeated(sample, ROWS // 1000)}
    large = {"csv": b"site,run,op_uid\n" + b"1,1,7\n" * ROWS, "stdf": repeated(sample, ROWS)}
    peaks = []
    for files in (small, large):
        for ending, data in files.items():
            path = pathlib.Path(f"rows.{ending}")
            path.write_bytes(data)
            peak, seconds = measured(program, path)
            peaks.append(peak)
            print(f"{ending}, {len(data) / 1e6:.1f} MB: {seconds:.2f} s, at most {peak} KiB so far")
    if peaks[-1] > 1.25 * peaks[1]:
        sys.exit(f"memory grows with the file: {peaks} KiB")


main()
