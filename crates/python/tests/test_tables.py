"""Tables in Python say the same as the files of the command."""

import duckdb
import nandseqgen
import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest
from conftest import command, csv_rows, frame_rows

TABLES = [
    "operation_sequence",
    "operation_timeline",
    "op_state_timeline",
    "address_touch_count",
    "op_state_name_input_time_count",
    "phase_proposal_counts",
]


def test_a_polars_frame_of_every_table_of_every_run_equals_the_csv_of_the_command(batch):
    rows = 0
    runs = list(nandseqgen.generate(seed=7, sites=2, runs=2, run_until=20_000))
    assert [(run.site, run.run) for run in runs] == [(1, 1), (2, 1), (1, 2), (2, 2)]
    for run in runs:
        assert list(run.tables) == TABLES
        for name, table in run.tables.items():
            expected = csv_rows(batch / f"site_{run.site:02}" / f"{name}_261121_{run.run:07}.csv")
            frame = polars.DataFrame(table)
            assert frame.columns == table.columns and len(frame) == len(table) == len(expected)
            assert frame_rows(frame.iter_rows(named=True)) == expected
            rows += len(frame)
    assert rows > 2_000


@pytest.mark.parametrize("flags", [{"expect": "data"}, {"status": "full"}, {"expect": "data", "status": "full"}])
def test_payloads_that_say_more_equal_those_of_the_command(tmp_path, flags):
    words = [f"--{name}={value}" for name, value in flags.items()]
    command("--seed", 3, "-t", 20000, "--stamp", "261121", "-q", "--out-dir", tmp_path, *words)
    (run,) = nandseqgen.generate(seed=3, run_until=20_000, **flags)
    expected = csv_rows(tmp_path / "operation_sequence_261121_0000001.csv")
    assert frame_rows(polars.DataFrame(run.sequence).iter_rows(named=True)) == expected
    if "expect" in flags:
        assert any("data" in target for row in expected for target in row["payload"])


def test_types_are_those_of_the_parquet_files(tmp_path):
    words = ["--seed", 3, "-t", 20000, "--format", "parquet", "--expect", "data", "--status", "full", "-q"]
    command(*words, "--out-dir", tmp_path)
    (run,) = nandseqgen.generate(seed=3, run_until=20_000, expect="data", status="full")
    for name, table in run.tables.items():
        written = pyarrow.parquet.read_table(tmp_path / "run=0000001" / f"{name}.parquet", partitioning=None)
        ours = pyarrow.table(table)
        assert ours.schema.equals(written.schema, check_metadata=False), name
        assert ours.equals(written), name


def test_other_libraries_take_the_same_table():
    (run,) = nandseqgen.generate(seed=5, ops=3_000)
    sequence, timeline = run.sequence, run.timeline
    arrow = pyarrow.table(sequence)
    assert arrow.num_rows == len(sequence) == run.operations
    frame = pandas.DataFrame.from_arrow(sequence)
    assert list(frame.columns) == sequence.columns and len(frame) == len(sequence)
    assert frame["op_uid"].tolist() == arrow["op_uid"].to_pylist()
    # DuckDB asks for a stream for every query.
    for _ in range(2):
        count, most = duckdb.sql("select count(*), max(seq) from sequence").fetchall()[0]
        assert (count, most) == (len(sequence), run.operations)
    joined = duckdb.sql("select count(*) from timeline join sequence using (op_uid)").fetchall()[0]
    assert joined == (len(timeline),)


def test_streams_are_fresh_and_outlive_the_run():
    (run,) = nandseqgen.generate(seed=5, ops=500)
    table = run.sequence
    reader = pyarrow.RecordBatchReader.from_stream(table)
    del run, table
    first = reader.read_all()
    assert first.num_rows >= 500
    # A capsule that nobody takes is released.
    (run,) = nandseqgen.generate(seed=5, ops=500)
    for _ in range(3):
        run.sequence.__arrow_c_stream__()
        assert "arrow_schema" in repr(run.sequence.__arrow_c_schema__())
    assert pyarrow.table(run.sequence).equals(first)


def test_only_the_tables_that_are_asked_for_are_made():
    (run,) = nandseqgen.generate(seed=5, ops=500, tables=["address_touch_count"])
    assert list(run.tables) == ["address_touch_count"]
    with pytest.raises(nandseqgen.Error, match="operation_sequence was not asked for: see `tables` of generate"):
        _ = run.sequence
