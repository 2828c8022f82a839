"""Runs: their order, their limits, their end."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time

import nandseqgen
import polars
import pytest
from conftest import csv_rows, command, frame_rows

PLAN = """\
schema: 1
phases:
- {name: fill, ops: 400}
- {name: read, ops: 300, runs: 2, probabilities: {global: {READ: 0.5}}}
"""


def test_what_is_known_of_a_run():
    first, second = nandseqgen.generate(seed=11, runs=2, ops=100)
    assert (first.site, first.run, first.seed, first.phase) == (None, 1, 11, None)
    assert (second.run, second.seed) == (2, 12)
    assert first.operations >= 100 and 0 < first.end < second.end
    assert first.dead_dies == []
    assert repr(first) == f"<nandseqgen.Run run 1: {first.operations} operations>"
    assert repr(first.sequence) == f"<nandseqgen.Table operation_sequence: {first.operations} rows>"


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_the_number_of_threads_changes_nothing(jobs):
    runs = [
        (run.site, run.run, polars.DataFrame(run.sequence).hash_rows().to_list())
        for run in nandseqgen.generate(seed=2, sites=[2, 5, 7], site_count=8, runs=3, ops=300, jobs=jobs)
    ]
    assert [(site, run) for site, run, _ in runs] == [(site, run) for run in (1, 2, 3) for site in (2, 5, 7)]
    alone = nandseqgen.generate(seed=2, sites=[5], site_count=8, runs=3, ops=300, jobs=1)
    expected = [polars.DataFrame(run.sequence).hash_rows().to_list() for run in alone]
    assert [rows for site, _, rows in runs if site == 5] == expected


def test_a_plan_decides_runs_and_phases(tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text(PLAN)
    runs = list(nandseqgen.generate(seed=4, plan=plan))
    assert [run.phase for run in runs] == ["fill", "read", "read"]
    command("--seed", 4, "--plan", plan, "-q", "--stamp", "261121", "--out-dir", tmp_path / "out")
    for run in runs:
        expected = csv_rows(tmp_path / "out" / f"operation_sequence_261121_{run.run:07}.csv")
        assert frame_rows(polars.DataFrame(run.sequence).iter_rows(named=True)) == expected


def test_a_site_that_has_covered_enough_has_no_further_runs(tmp_path):
    words = ["--seed", 4, "--until-coverage", 5, "--ops", 200, "-n", 400, "--site-count", 2]
    command(*words, "-q", "--stamp", "261121", "--outputs", "operation_sequence", "--out-dir", tmp_path)
    runs = nandseqgen.generate(seed=4, until_coverage=5, ops=200, runs=400, sites=2, tables=["operation_sequence"])
    made = [(run.site, run.run) for run in runs]
    written = [
        (site, int(path.stem[-7:]))
        for site in (1, 2)
        for path in (tmp_path / f"site_{site:02}").glob("operation_sequence_*")
    ]
    assert sorted(made) == sorted(written) and 2 < len(made) < 800


def test_memory_does_not_grow_with_the_number_of_runs():
    code = (
        "import nandseqgen, resource, sys\n"
        "for run in nandseqgen.generate(seed=1, runs=int(sys.argv[1]), ops=20_000): pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    few, many = (
        int(subprocess.run([sys.executable, "-c", code, runs], check=True, capture_output=True).stdout)
        for runs in ("4", "24")
    )
    # A run of so many operations takes about 15 MB.
    assert many - few < 40_000, (few, many)


def test_other_threads_go_on_meanwhile():
    counts = []

    def count():
        for _ in range(20):
            counts.append(time.monotonic())
            time.sleep(0.005)

    runs = nandseqgen.generate(seed=1, ops=200_000, tables=["operation_sequence"])
    thread = threading.Thread(target=count)
    thread.start()
    began = time.monotonic()
    (run,) = runs
    ended = time.monotonic()
    thread.join()
    assert run.operations >= 200_000
    assert sum(began <= at <= ended for at in counts) >= 5


def test_ctrl_c_is_heard_while_a_run_is_made():
    code = (
        "import nandseqgen, sys, time\n"
        "runs = nandseqgen.generate(seed=1, ops=10**9, tables=['address_touch_count'])\n"
        "print('begun', flush=True)\n"
        "try:\n"
        "    next(runs)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', next(runs, 'no more'))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begun\n"
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=20)
    assert (process.returncode, rest) == (0, "interrupted no more\n")
    assert time.monotonic() - began < 3


def test_runs_that_nobody_wants_end_soon():
    before = threads()
    with nandseqgen.generate(seed=1, ops=10**9, tables=["address_touch_count"]) as runs:
        assert threads() > before
    assert list(runs) == []
    forgotten = nandseqgen.generate(seed=1, runs=10**6, ops=10)
    assert next(forgotten).run == 1
    del forgotten
    gc.collect()
    for _ in range(100):
        if threads() <= before:
            break
        time.sleep(0.05)
    assert threads() <= before


def threads():
    return len(os.listdir("/proc/self/task"))


def test_an_unknown_word_and_a_limit_that_cannot_be_kept_say_what_to_do():
    with pytest.raises(nandseqgen.Error) as raised:
        nandseqgen.generate(run_until=0)
    assert str(raised.value) == (
        "error: a run of 0 µs (--run-until, -t) leaves no time in which an operation could start\n"
        "  help: say how long each run is simulated, in µs: `--run-until 100000` is 0.1 s"
    )
    (problem,) = raised.value.problems
    assert (problem.severity, problem.code, problem.file) == ("error", None, None)
    assert raised.value.exit_code == 2 and raised.value.help.startswith("say how long")
    with pytest.raises(nandseqgen.Error, match="unexpected argument '--nonsense' found"):
        nandseqgen.generate(flags=["--nonsense"])
    with pytest.raises(nandseqgen.Error, match="--resume is about files, and these runs are made in memory"):
        nandseqgen.generate(flags=["--resume", "out"])
    with pytest.raises(nandseqgen.Error, match="invalid value 'nonsense' for '--outputs"):
        nandseqgen.generate(tables=["nonsense"])


def test_warnings_of_the_command_are_warnings():
    with pytest.warns(UserWarning, match="--bootstrap has no effect on a single run"):
        list(nandseqgen.generate(ops=10, bootstrap=True))


