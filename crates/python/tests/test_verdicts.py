"""Legality, coverage, diagnosis and shrinking: the same answers as those of the command, and refusals that say what to do."""

import csv
import json
import signal
import subprocess
import sys
from decimal import Decimal

import nandseqgen
import pandas
import polars
import pytest
from conftest import command


def runs(**flags):
    return nandseqgen.generate(**{"seed": 6, "run_until": 20_000, **flags})


def test_runs_are_clean_with_all_their_tables():
    made = list(runs(sites=2, runs=2))
    verdict = nandseqgen.verify(None, made)
    assert verdict.clean and verdict and verdict.findings == [] and verdict.counts == {} and verdict.damage == []
    assert verdict.operations == sum(run.operations for run in made)
    compared = [table["kind"] for report in verdict.report for site in report["sites"] for file in site["files"] for table in file["tables"]]
    assert len(compared) == 4 * 5
    assert nandseqgen.verify(nandseqgen.Profile.builtin(), made[0]).operations == made[0].operations


def test_data_that_is_expected_is_judged():
    (run,) = runs(expect="data", status="full")
    assert nandseqgen.verify(None, run).clean
    frame = polars.DataFrame(run.sequence)
    assert nandseqgen.verify(None, frame, expect="data", status="full").clean
    assert not nandseqgen.verify(None, frame).clean


def test_a_frame_of_any_library_is_judged(tmp_path):
    (run,) = runs()
    frame = polars.DataFrame(run.sequence)
    (tmp_path / "sequence.parquet").touch()
    command("--seed", 6, "-t", 20000, "-q", "--stamp", "261121", "--out-dir", tmp_path)
    text = polars.read_csv(tmp_path / "operation_sequence_261121_0000001.csv")
    assert text.schema["time"] == polars.Float64 and text.schema["payload"] == polars.String
    for table in (frame, frame.with_columns(polars.col("op_name").cast(polars.Categorical)), text, pandas.DataFrame.from_arrow(run.sequence)):
        verdict = nandseqgen.verify(None, table)
        assert verdict.clean, verdict.findings[:3]
        assert verdict.operations == run.operations


def test_a_broken_rule_is_found_with_its_row():
    (run,) = runs()
    frame = polars.DataFrame(run.sequence)
    # The operation of row 6 goes back in time.
    times = frame["time"].to_list()
    times[5] = times[2]
    damaged = frame.with_columns(polars.Series("time", times, dtype=polars.Decimal(18, 6)))
    verdict = nandseqgen.verify(None, damaged)
    assert not verdict.clean and not verdict
    finding = next(finding for finding in verdict.findings if finding.rule == "time_order")
    assert (finding.row, finding.op_uid, finding.line) == (6, 6, None)
    assert finding.file == "run 1/operation_sequence.arrow"
    assert finding.time_us == float(times[2]) and finding.message and finding.sentence
    assert verdict.counts["time_order"] >= 1


def test_tables_are_compared_with_their_sequence():
    (run,) = runs()
    touches = polars.DataFrame(run.touches)
    more = touches.with_columns(polars.when(polars.int_range(polars.len()) == 0).then(99).otherwise(polars.col("count")).alias("count"))
    verdict = nandseqgen.verify(None, {**run.tables, "address_touch_count": more})
    assert not verdict.clean
    assert {finding.file for finding in verdict.findings} == {"run 1/address_touch_count.arrow"}


def test_paths_are_judged_as_by_the_command(batch):
    verdict = nandseqgen.verify(None, batch)
    assert verdict.clean
    assert verdict.report == [json.loads(command("verify", "--format", "json", batch))]
    path = batch / "site_01" / "operation_sequence_261121_0000001.csv"
    assert nandseqgen.verify(None, [path]).operations == len(path.read_text().splitlines()) - 1


def test_what_cannot_be_judged_says_why(tmp_path):
    with pytest.raises(nandseqgen.Error, match="cannot read the sequences in"):
        nandseqgen.verify(None, tmp_path / "none")
    with pytest.raises(TypeError, match="int is no run, no table and no path"):
        nandseqgen.verify(None, 3)
    with pytest.raises(nandseqgen.Error, match="there is no run to judge"):
        nandseqgen.verify(None, [])
    with pytest.raises(nandseqgen.Error, match="the table has no column seq; those of operation_sequence are seq, time"):
        nandseqgen.verify(None, polars.DataFrame({"time": [Decimal("0.0")]}))
    with pytest.raises(nandseqgen.Error, match="nonsense is no table of a run"):
        nandseqgen.verify(None, {"nonsense": polars.DataFrame()})
    with pytest.raises(TypeError, match="int is no table: it gives no Arrow stream"):
        nandseqgen.verify(None, {"operation_sequence": 3})
    (run,) = runs(tables=["operation_timeline"])
    with pytest.raises(nandseqgen.Error, match="a run without its operation_sequence cannot be judged"):
        nandseqgen.verify(None, run)
    (run,) = runs()
    frame = polars.DataFrame(run.sequence)
    verdict = nandseqgen.verify(None, frame.with_columns(polars.lit(True).alias("seq")))
    assert "column 'seq' is of type Boolean; types that can be read are string, integer" in verdict.damage[0]


def test_runs_are_judged_all_from_the_first_of_one_campaign_and_each_once():
    first, second = runs(runs=2)
    (other,) = runs(runs=1, seed=7)
    assert nandseqgen.verify(None, [second, first]).clean
    assert nandseqgen.verify(None, iter([first, second])).operations == first.operations + second.operations
    with pytest.raises(nandseqgen.Error, match="run 1 is missing: run 2 is judged after all runs before it"):
        nandseqgen.verify(None, second)
    with pytest.raises(nandseqgen.Error, match="run 1 is given twice"):
        nandseqgen.verify(None, [first, first])
    with pytest.raises(nandseqgen.Error, match="these runs are of several campaigns"):
        nandseqgen.verify(None, [first, other])
    with pytest.raises(nandseqgen.Error, match="runs of `generate` and tables from elsewhere"):
        nandseqgen.verify(None, [first, polars.DataFrame(second.sequence)])


def test_arguments_that_would_have_no_effect_are_refused(tmp_path):
    (run,) = runs()
    device = tmp_path / "device.yaml"
    device.write_text(command("profile", "new"))
    small = nandseqgen.Profile.load(device)
    for given in ({"badlist": "badlist.csv"}, {"jobs": 2}):
        with pytest.raises(nandseqgen.Error, match="is for paths alone"):
            nandseqgen.verify(None, run, **given)
    for given in ({"expect": "data"}, {"status": "full"}):
        with pytest.raises(nandseqgen.Error, match="is known of runs of `generate`: leave it out"):
            nandseqgen.verify(None, run, **given)
    with pytest.raises(nandseqgen.Error, match="these runs are of another profile"):
        nandseqgen.verify(small, run)
    for given in ({"profile": small}, {"plan": "plan.yaml"}):
        with pytest.raises(nandseqgen.Error, match="is for paths alone"):
            nandseqgen.coverage(run, **given)


def test_several_paths_may_come_from_anything_that_gives_them(batch):
    sites = sorted(batch.glob("site_*"))
    operations = nandseqgen.verify(None, batch).operations
    for paths in ((path for path in sites), set(sites), {str(path): None for path in sites}.keys(), map(str, sites)):
        assert nandseqgen.verify(None, paths).operations == operations
    assert nandseqgen.coverage(path for path in sites).hit == nandseqgen.coverage(batch).hit
    (run,) = runs()
    with pytest.raises(TypeError, match="is a path: paths are judged by themselves"):
        nandseqgen.verify(None, [run, sites[0]])
    with pytest.raises(TypeError, match="Run is no path, and the others are paths"):
        nandseqgen.verify(None, [sites[0], run])
    with pytest.raises(TypeError, match="list is no run, no table and no path"):
        nandseqgen.verify(None, [run, [run]])


def test_coverage_of_phases_is_that_of_the_command(tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text("schema: 1\nphases:\n- {name: fill, ops: 300}\n- {name: read, ops: 200}\n")
    command("--seed", 4, "--plan", plan, "-q", "--out-dir", tmp_path / "out")
    written = nandseqgen.coverage(tmp_path / "out")
    with pytest.warns(nandseqgen.ProblemWarning, match="did of their test plan is not counted in memory"):
        counted = nandseqgen.coverage(nandseqgen.generate(seed=4, plan=plan))
    assert counted.hit == written.hit
    phases = [[(run["phase"], run["figures"]) for run in of.report["runs"]] for of in (counted, written)]
    assert phases[0] == phases[1] and [name for name, _ in phases[0]] == ["fill", "read"]


def test_coverage_is_that_of_the_command(batch):
    written = nandseqgen.coverage(batch)
    counted = nandseqgen.coverage(nandseqgen.generate(seed=7, sites=2, runs=2, run_until=20_000))
    assert (counted.percent, counted.hit, counted.bins) == (written.percent, written.hit, written.bins)
    assert 0 < counted.percent < 100 and counted.hit < counted.bins
    # The command has a log of refusals, so it knows more of why something was not hit.
    without_why = [[{**bins, "why": None} for bins in of.uncovered] for of in (counted, written)]
    assert without_why[0] == without_why[1]
    for part in ("merged", "addresses", "pairs"):
        assert counted.report[part] == written.report[part]
    assert [run["figures"] for run in sorted(counted.report["runs"], key=lambda run: run["name"])] == [
        run["figures"] for run in written.report["runs"]
    ]
    one = nandseqgen.coverage(next(runs()))
    assert one.hit > 0


def test_what_cannot_be_counted_says_why():
    with pytest.raises(nandseqgen.Error, match="coverage is counted from operation_sequence and op_state_name_input_time"):
        nandseqgen.coverage(runs(tables=["operation_sequence"]))
    with pytest.raises(nandseqgen.Error, match="these runs are of several campaigns"):
        nandseqgen.coverage([next(runs()), next(runs())])
    one = next(runs())
    with pytest.raises(nandseqgen.Error, match="run 1 is given twice: it counts once"):
        nandseqgen.coverage([one, one])
    with pytest.raises(nandseqgen.Error, match="there is no run to count"):
        nandseqgen.coverage([])
    with pytest.raises(TypeError, match="int is no run"):
        nandseqgen.coverage([3])




@pytest.fixture(scope="module")
def failing(tmp_path_factory):
    """Runs of which those fail that have an operation of a certain kind on block 0 to 400, and what a tester says."""
    folder = tmp_path_factory.mktemp("failing")
    command("--seed", 9, "-n", 30, "--ops", 60, "--stamp", "261121", "-q", "--out-dir", folder / "out")
    with (folder / "fails.csv").open("w") as fails:
        fails.write("site,run,op_uid\n")
        for path in sorted((folder / "out").glob("operation_sequence_*.csv")):
            for row in csv.DictReader(path.open()):
                if row["op_name"].startswith("Block_Erase_TLC"):
                    fails.write(f"1,{int(path.stem[-7:])},{row['op_uid']}\n")
    return folder


def test_a_diagnosis_is_that_of_the_command(failing):
    fails = failing / "fails.csv"
    words = ["diagnose", failing / "out", "--fails", fails, "--others", "passed", "--format", "json"]
    diagnosis = nandseqgen.diagnose(failing / "out", fails, others="passed")
    assert diagnosis.report == json.loads(command(*words))
    assert diagnosis.suspects and diagnosis.verdict
    with pytest.raises(TypeError, match="runs in memory are not diagnosed"):
        nandseqgen.diagnose(runs(), fails)
    with pytest.raises(nandseqgen.Error, match="there is nothing to diagnose|has no fail"):
        (failing / "none.csv").write_text("site,run,op_uid\n")
        nandseqgen.diagnose(failing / "out", failing / "none.csv", others="passed")


def test_an_oracle_in_python_shrinks_a_run(tmp_path):
    command("--seed", 9, "--ops", 80, "--stamp", "261121", "-q", "--out-dir", tmp_path / "out")
    (sequence,) = (tmp_path / "out").glob("operation_sequence_*")
    erases = {row["op_name"] for row in csv.DictReader(sequence.open()) if row["op_name"].startswith("Block_Erase_")}
    asked = []

    def has_erase(path):
        asked.append(path)
        return any(row["op_name"] in erases for row in csv.DictReader(path.open()))

    shrunk = nandseqgen.shrink(tmp_path / "out", has_erase, tmp_path / "small")
    assert len(shrunk.operations) == 1 and shrunk.operations[0]["op_name"] in erases
    assert asked and shrunk.story["tried"] <= len(asked) + 1
    assert nandseqgen.verify(None, shrunk.path).clean
    with pytest.raises(nandseqgen.Error, match="lets it pass"):
        nandseqgen.shrink(tmp_path / "out", lambda path: False, tmp_path / "other")
    # Nothing is kept of such answers: the same folder serves a mended oracle.
    with pytest.raises(nandseqgen.Error, match="the oracle says that a sequence without any operation fails too"):
        nandseqgen.shrink(tmp_path / "out", lambda path: True, tmp_path / "other")
    assert len(nandseqgen.shrink(tmp_path / "out", has_erase, tmp_path / "other").operations) == 1
    with pytest.raises(nandseqgen.Error, match="the oracle returned None"):
        nandseqgen.shrink(tmp_path / "out", lambda path: None, tmp_path / "silent")

    def broken(path):
        raise RuntimeError("the tester is off")

    with pytest.raises(nandseqgen.Error, match="the oracle failed for .*: RuntimeError: the tester is off") as raised:
        nandseqgen.shrink(tmp_path / "out", broken, tmp_path / "third")
    assert isinstance(raised.value.__cause__, RuntimeError)


def test_ctrl_c_ends_a_search_and_the_same_call_goes_on(tmp_path):
    command("--seed", 9, "--ops", 80, "--stamp", "261121", "-q", "--out-dir", tmp_path / "out")
    code = """
import nandseqgen, pathlib, sys, time
asked = []
def oracle(path):
    asked.append(path)
    if len(asked) > 3:
        print("asked", flush=True)
        time.sleep(0.2)
    return has_rows(path)
def has_rows(path):
    return len(path.read_text().splitlines()) > 1
try:
    nandseqgen.shrink("out", oracle, "small")
except KeyboardInterrupt:
    then = len(asked)
    time.sleep(1)
    print("interrupted", len(asked) - then, flush=True)
    asked.clear()
    print(len(nandseqgen.shrink("out", has_rows, "small").operations))
"""
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "asked\n"
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    lines = [line for line in rest.splitlines() if line != "asked"]
    assert process.returncode == 0 and lines[0] == "interrupted 0" and int(lines[1]) == 1, rest
