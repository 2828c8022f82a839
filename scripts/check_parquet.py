"""Compares a Parquet dataset with the CSV files of the same runs, row by row and in sums, and reads it in the ways that docs/outputs.md shows.
Run by scripts/check-parquet."""

import csv
import json
import os
import re
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow.parquet

# Columns by table: how the text of the CSV is to be read, and the type DuckDB is to see.
NAME = (str, "VARCHAR")
SMALL = (int, "INTEGER")
LARGE = (int, "BIGINT")
TIME = (Decimal, "DECIMAL(18,6)")
OPTIONAL = (lambda text: text or None, "VARCHAR")
PAYLOAD = (
    lambda text: without_nulls(json.loads(text)),
    "STRUCT(die INTEGER, plane INTEGER, block INTEGER, page INTEGER, celltype VARCHAR, exp_val VARCHAR)[]",
)
TABLES = {
    "operation_sequence": [
        ("seq", LARGE), ("time", TIME), ("op_id", LARGE), ("op_name", NAME), ("op_uid", LARGE), ("payload", PAYLOAD),
    ],
    "operation_timeline": [
        ("start", TIME), ("end", TIME), ("die", SMALL), ("plane", SMALL), ("block", SMALL), ("page", SMALL),
        ("op_name", NAME), ("op_base", NAME), ("source", OPTIONAL), ("op_uid", LARGE), ("op_state", NAME),
        ("phase_key_used", NAME), ("phase_key_virtual", NAME),
    ],
    "op_state_timeline": [
        ("start", TIME), ("end", TIME), ("die", SMALL), ("plane", SMALL), ("op_state", NAME), ("lane", NAME),
        ("op_name", NAME), ("duration", TIME),
    ],
    "address_touch_count": [
        ("op_base", NAME), ("cell_type", NAME), ("die", SMALL), ("block", SMALL), ("page", SMALL), ("count", LARGE),
    ],
    "op_state_name_input_time_count": [
        ("op_state", NAME), ("phase_key_used", NAME), ("phase_key_virtual", NAME), ("op_name", NAME),
        ("input_time", (Decimal, "DECIMAL(3,2)")), ("count", LARGE),
    ],
    "phase_proposal_counts": [
        ("phase_key_used", NAME), ("phase_key_virtual", NAME), ("die", SMALL), ("plane", SMALL), ("propose_time", TIME),
        ("op_name", NAME), ("count", LARGE),
    ],
}
# Recomputed from both forms: the CSV side by DuckDB's own reader.
SUMS = {
    "operation_sequence": "SELECT op_name, count(*), min(seq), max(op_uid) FROM {} GROUP BY ALL ORDER BY ALL",
    "operation_timeline": 'SELECT op_base, die, plane, count(*), sum("end" - start) FROM {} GROUP BY ALL ORDER BY ALL',
    "op_state_timeline": "SELECT lane, op_state, count(*), sum(duration) FROM {} GROUP BY ALL ORDER BY ALL",
    "address_touch_count": "SELECT op_base, cell_type, count(*), sum(count) FROM {} GROUP BY ALL ORDER BY ALL",
    "op_state_name_input_time_count": "SELECT op_name, sum(count), sum(input_time) FROM {} GROUP BY ALL ORDER BY ALL",
    "phase_proposal_counts": "SELECT op_name, phase_key_used, sum(count) FROM {} GROUP BY ALL ORDER BY ALL",
}


def fail(message):
    sys.exit(f"check-parquet: {message}")


def without_nulls(value):
    """A payload without the fields that an operation does not have, or that expect nothing."""
    if isinstance(value, list):
        return [{field: part for field, part in entry.items() if part is not None} for entry in value]
    return value


def compare_rows(database, table, csv_file, parquet_file):
    columns = TABLES[table]
    names = ", ".join(f'"{name}"' for name, _ in columns)
    described = database.execute(f"DESCRIBE SELECT * FROM read_parquet('{parquet_file}', hive_partitioning=false)")
    found = [(name, kind) for name, kind, *_ in described.fetchall()]
    wanted = [(name, kind) for name, (_, kind) in columns]
    if found != wanted:
        fail(f"{parquet_file}: columns {found} instead of {wanted}")
    rows = database.execute(
        f"SELECT {names} FROM read_parquet('{parquet_file}', file_row_number=true) ORDER BY file_row_number"
    ).fetchall()
    with open(csv_file, newline="", encoding="utf-8") as lines:
        reader = csv.reader(lines)
        header = next(reader)
        if header != [name for name, _ in columns]:
            fail(f"{csv_file}: columns {header}")
        count = 0
        for count, texts in enumerate(reader, start=1):
            expected = tuple(read(text) for (_, (read, _)), text in zip(columns, texts))
            if count > len(rows) or tuple(map(without_nulls, rows[count - 1])) != expected:
                fail(f"{parquet_file}: row {count} is {rows[count - 1 : count]} instead of {expected}")
    if count != len(rows):
        fail(f"{parquet_file}: {len(rows)} rows instead of {count}")
    return count


def compare_encodings(database, parquet_file, table):
    for path, compression, encodings in database.execute(
        f"SELECT path_in_schema, compression, encodings FROM parquet_metadata('{parquet_file}')"
    ).fetchall():
        is_name = dict(TABLES[table]).get(path) in (NAME, OPTIONAL)
        wanted = "DICTIONARY" if is_name or path.endswith(("celltype", "exp_val")) else "DELTA_BINARY_PACKED"
        if compression != "ZSTD" or wanted not in encodings:
            fail(f"{parquet_file}: column {path} is {compression}, {encodings}; {wanted} was expected")


def compare_sums(database, table, csv_folder, dataset):
    types = ", ".join(f"'{name}': '{'VARCHAR' if name == 'payload' else kind}'" for name, (_, kind) in TABLES[table])
    from_csv = f"read_csv('{csv_folder}/{table}_*.csv', header=true, columns={{{types}}})"
    from_parquet = f"read_parquet('{dataset}/site=*/run=*/{table}.parquet', hive_partitioning=true)"
    sums = [database.execute(SUMS[table].format(form)).fetchall() for form in (from_csv, from_parquet)]
    if sums[0] != sums[1]:
        fail(f"{table}: sums differ: {sums[0]} and {sums[1]}")


def plain(counts):
    """Rows of site, run and a count, as integers, whichever reader made them."""
    if isinstance(counts, duckdb.DuckDBPyRelation):
        if [str(kind) for kind in counts.types[:2]] != ["BIGINT", "BIGINT"]:
            fail(f"DuckDB sees site and run as {counts.types[:2]}")
        rows = counts.fetchall()
    elif hasattr(counts, "rows"):
        rows = counts.rows()
    else:
        rows = [(*numbers, count) for numbers, count in counts.items()]
    if not all(type(int(number)) is type(number) or hasattr(number, "item") for row in rows for number in row[:2]):
        fail(f"site and run are no integers: {rows[:3]}")
    return sorted(tuple(int(number) for number in row[:3]) for row in rows)


def compare_packs(database, dataset, packed):
    """Compares the tables in packs with those of the same runs one by one: each run by its number, as three programs find it."""
    files = sorted(Path(packed).glob("site=*/pack=*/*.parquet"))
    compared = 0
    for file in files:
        runs = [run for (run,) in database.execute(f"SELECT DISTINCT run FROM read_parquet('{file}') ORDER BY run").fetchall()]
        site = Path(dataset) / file.parent.parent.name
        groups = pyarrow.parquet.ParquetFile(file).metadata
        for at in range(groups.num_row_groups):
            column = groups.row_group(at).column(groups.num_columns - 1)
            if column.path_in_schema != "run":
                fail(f"{file}: row group {at} ends with {column.path_in_schema}")
            if column.statistics.min != column.statistics.max or column.statistics.min not in runs:
                fail(f"{file}: row group {at} is of runs {column.statistics.min} to {column.statistics.max}")
        for run in runs:
            alone = site / f"run={run:07}" / file.name
            expected = polars.read_parquet(alone, hive_partitioning=False)
            found = polars.scan_parquet(file, hive_partitioning=False).filter(polars.col("run") == run).drop("run").collect()
            if not found.equals(expected):
                fail(f"{file}: polars reads another run {run} than in {alone}")
            found = pandas.read_parquet(file, filters=[("run", "==", run)], partitioning=None).drop(columns="run")
            if found.map(str).values.tolist() != pandas.read_parquet(alone, partitioning=None).map(str).values.tolist():
                fail(f"{file}: pandas reads another run {run} than in {alone}")
            rows, wanted = (
                database.execute(query).fetchall()
                for query in (
                    f"SELECT * EXCLUDE (run, file_row_number) FROM read_parquet('{file}', hive_partitioning=false, file_row_number=true)"
                    f" WHERE run = {run} ORDER BY file_row_number",
                    f"SELECT * EXCLUDE file_row_number FROM read_parquet('{alone}', hive_partitioning=false, file_row_number=true)"
                    " ORDER BY file_row_number",
                )
            )
            if rows != wanted:
                fail(f"{file}: DuckDB reads another run {run} than in {alone}")
            compared += 1
    tables = len(list(Path(dataset).glob("site=*/run=*/*.parquet")))
    empty = sum(1 for path in Path(dataset).glob("site=*/run=*/*.parquet") if pyarrow.parquet.ParquetFile(path).metadata.num_rows == 0)
    if compared != tables - empty:
        fail(f"{packed}: {compared} tables of runs in packs instead of {tables - empty}")
    return compared


def compare_documented(dataset, packed, operations):
    """Runs the examples of the documentation on this dataset: each counts the operations of site 1 and 2 by site and run."""
    page = (Path(__file__).parent.parent / "docs/outputs.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    if len(examples) != 4:
        fail(f"docs/outputs.md has {len(examples)} examples of reading a dataset")
    wanted = [row for row in operations if row[0] <= 2]
    with tempfile.TemporaryDirectory() as folder:
        for name, target in (("out", dataset), ("packed", packed or dataset)):
            (Path(folder) / name).symlink_to(Path(target).absolute(), target_is_directory=True)
        before = os.getcwd()
        os.chdir(folder)
        try:
            for example in examples:
                if "packed/" in example and not packed:
                    continue
                names = {"print": lambda *_: None}
                exec(example, names)
                if plain(names["counts"]) != wanted:
                    fail(f"{plain(names['counts'])} instead of {wanted} from\n{example}")
        finally:
            os.chdir(before)


def main(csv_folder, dataset, packed=None):
    database = duckdb.connect()
    files = sorted(Path(dataset).glob("site=*/run=*/*.parquet"))
    csv_files = [file for table in TABLES for file in Path(csv_folder).glob(f"{table}_[0-9]*.csv")]
    if not files or len(files) != len(csv_files):
        fail(f"{len(files)} Parquet files and {len(csv_files)} CSV files")
    total = 0
    for file in files:
        table, run = file.stem, file.parent.name.removeprefix("run=")
        (csv_file,) = Path(csv_folder).glob(f"{table}_*_{run}.csv")
        total += compare_rows(database, table, csv_file, file)
        compare_encodings(database, file, table)
    for table in {file.stem for file in files}:
        compare_sums(database, table, csv_folder, dataset)
    operations = sorted(
        (int(file.parent.parent.name.removeprefix("site=")), int(file.parent.name.removeprefix("run=")),
         database.execute(f"SELECT count(*) FROM read_parquet('{file}', hive_partitioning=false)").fetchone()[0])
        for file in files if file.stem == "operation_sequence"
    )
    in_packs = compare_packs(database, dataset, packed) if packed else 0
    compare_documented(dataset, packed, operations)
    print(f"{len(files)} files, {total} rows agree, {in_packs} tables in packs; operations by site and run: {operations}")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        fail("usage: check-parquet CSV_SITE_FOLDER PARQUET_DATASET_FOLDER [PACKED_DATASET_FOLDER]")
    main(*sys.argv[1:])
