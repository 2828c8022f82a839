"""From expected data to bytes: what a tester program writes for an operation that brings data in, and how it checks what came out."""

import csv
import hashlib
import json
import re


def pattern(op_uid, plane, level, size):
    """The first `size` bytes of the page that this operation brings to this plane. Every operation, plane and level has other ones."""
    return hashlib.shake_128(f"{op_uid} {plane} {level}".encode()).digest(size)


def wrong_outputs(sequences, dump):
    """The outputs whose bytes are not as expected. `sequences` are the files of a site from its first run on; `dump` maps (op_uid, plane)
    of an output to the bytes that the device returned."""
    levels = {}
    for sequence in sequences:
        for row in csv.DictReader(sequence.read_text(encoding="utf-8").splitlines()):
            uid = int(row["op_uid"])
            levels[uid] = re.search("LSB|CSB|MSB|$", row["op_name"])[0]  # of the data that this operation brings in
            for target in json.loads(row["payload"]):
                bytes_out = dump.get((uid, target.get("plane")))
                if bytes_out and bytes_out != pattern(target["data"], target["plane"], levels[target["data"]], len(bytes_out)):
                    yield row["seq"], row["op_name"], target
