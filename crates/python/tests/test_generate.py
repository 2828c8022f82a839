"""Runs: their order, their limits, their end."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import warnings

import nandseqgen
import polars
import pytest
from conftest import COMMAND, csv_rows, command, frame_rows

PLAN = """\
schema: 1
phases:
- {name: fill, ops: 400}
- {name: read, ops: 300, runs: 2, probabilities: {global: {READ: 0.5}}}
"""

IMPOSSIBLE = """\
schema: 1
scenarios:
  read_while_erasing:
    steps:
      - e: {base: ERASE}
      - {base: READ, in: e.CORE_BUSY, at: 0-50 %}
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
    counts, is_done = [0], threading.Event()

    def count():
        while not is_done.is_set():
            counts[0] += 1
            time.sleep(0.001)

    runs = nandseqgen.generate(seed=1, ops=10**9, tables=["address_touch_count"])
    taken = []
    taking = threading.Thread(target=lambda: taken.append(list(runs)))
    counting = threading.Thread(target=count)
    taking.start()
    counting.start()
    # The run would take an hour: the other thread counts while it is made, or never gets so far.
    while counts[0] < 20:
        time.sleep(0.001)
    assert taking.is_alive()
    runs.close()
    taking.join()
    assert taken == [[]]
    is_done.set()
    counting.join()


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
    process.send_signal(signal.SIGINT)
    # The run would take an hour.
    rest, _ = process.communicate(timeout=60)
    assert (process.returncode, rest) == (0, "interrupted no more\n")


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
    with pytest.raises(nandseqgen.Error, match="`nonsense` is no table: `tables` are of operation_sequence, "):
        nandseqgen.generate(tables=["nonsense"])
    with pytest.raises(nandseqgen.Error, match="`snapshot` is no table"):
        nandseqgen.generate(tables=["operation_sequence", "snapshot"])


def test_flags_that_have_no_effect_in_memory_are_refused():
    for flags, why in {
        ("--config", "device.yaml"): "--config is about the profile, which is given as an object",
        ("--lenient",): "--lenient is about the profile",
        ("--out-dir=out",): "--out-dir is about files, and these runs are made in memory",
        ("--format", "parquet"): "--format is about files",
        ("--stamp", "261121"): "--stamp is about files",
        ("--summary", "json"): "--summary is about files",
        ("--verify",): "--verify is about files",
    }.items():
        with pytest.raises(nandseqgen.Error, match=why):
            nandseqgen.generate(flags=flags)


def test_sites_are_a_number_or_some_of_a_batch():
    for sites in (None, 2):
        with pytest.raises(nandseqgen.Error, match="`site_count` is the size of the batch that a list `sites` picks from"):
            nandseqgen.generate(sites=sites, site_count=4)
    frame = polars.DataFrame({"sites": [2]})
    (run,) = nandseqgen.generate(sites=iter(frame["sites"].to_numpy()), site_count=4, ops=10)
    assert run.site == 2
    assert [run.site for run in nandseqgen.generate(sites=frame["sites"].to_numpy()[0], ops=10)] == [1, 2]


def test_warnings_of_the_command_are_warnings_of_the_line_that_calls():
    with pytest.warns(nandseqgen.ProblemWarning, match="--bootstrap has no effect on a single run") as warned:
        list(nandseqgen.generate(ops=10, bootstrap=True))
    (one,) = warned
    assert one.filename == __file__
    assert (one.message.problem.severity, one.message.problem.file) == ("warning", None)


def test_an_impossible_scenario_is_a_warning_with_its_place(tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text(IMPOSSIBLE)
    with pytest.warns(nandseqgen.ProblemWarning, match="scenario `read_while_erasing` cannot happen") as warned:
        list(nandseqgen.generate(plan=plan, ops=50))
    problem = next(one.message.problem for one in warned if one.message.problem.code == "impossible-scenario")
    assert (problem.severity, problem.file, problem.line) == ("warning", str(plan), 6)
    assert problem.column > 1 and problem.help.startswith("let it start after that phase")


def test_what_was_not_reached_is_warned_of_after_the_last_run():
    runs = nandseqgen.generate(seed=1, ops=10**6, run_until=2_000, runs=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [next(runs).run, next(runs).run] == [1, 2]
    assert runs.not_reached == []
    with pytest.warns(nandseqgen.ProblemWarning, match="2 of 2 runs have fewer than 1,000,000 operations"):
        assert next(runs, None) is None
    (problem,) = runs.not_reached
    assert problem.severity == "warning"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert next(runs, None) is None
    enough = nandseqgen.generate(seed=1, ops=20)
    assert enough.most == 1 and len(list(enough)) == 1 and enough.not_reached == []


def test_what_was_not_reached_is_what_the_command_says(tmp_path):
    words = ["--seed", 4, "--until-coverage", 90, "--ops", 200, "-n", 3, "--site-count", 2]
    done = subprocess.run(
        [COMMAND, *map(str, words), "-q", "--out-dir", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 4
    runs = nandseqgen.generate(seed=4, until_coverage=90, ops=200, runs=3, sites=2)
    with pytest.warns(nandseqgen.ProblemWarning):
        list(runs)
    assert [f"warning: {problem.message}" for problem in runs.not_reached] == done.stderr.splitlines()
