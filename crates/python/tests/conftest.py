"""What the tests share: the command of the wheel, and campaigns that it wrote."""

import csv
import io
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("nandseqgen")
TIMES = {"time", "start", "end", "duration", "propose_time", "input_time"}
NUMBERS = {"seq", "op_id", "op_uid", "die", "plane", "block", "page", "count"}


def command(*words, code=0, **options):
    """What the command prints."""
    done = subprocess.run([COMMAND, *map(str, words)], capture_output=True, text=True, **options)
    assert done.returncode == code, done.stderr
    return done.stdout


def csv_rows(path):
    """The rows of a CSV file, with typed values."""
    text = path.read_text(encoding="utf-8")
    return [typed(row) for row in csv.DictReader(io.StringIO(text))]


def typed(row):
    def value(name, text):
        if name in TIMES:
            return Decimal(text)
        if name in NUMBERS:
            return int(text)
        if name == "payload":
            return json.loads(text)
        return text or None

    return {name: value(name, text) for name, text in row.items()}


def same(value):
    """A value of a frame as a value of a CSV file: fields of a payload that are null are left out."""
    if isinstance(value, list):
        return [{name: of for name, of in one.items() if of is not None} for one in value]
    return value


def frame_rows(rows):
    return [{name: same(value) for name, value in row.items()} for row in rows]


@pytest.fixture(scope="session")
def batch(tmp_path_factory):
    """A folder with two sites of two runs, as the command writes them."""
    folder = tmp_path_factory.mktemp("batch")
    command("--seed", 7, "--site-count", 2, "-n", 2, "-t", 20000, "--stamp", "261121", "-q", "--out-dir", folder)
    return folder
