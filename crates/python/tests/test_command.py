"""The wheel has the command."""

import os
import signal
import subprocess
import sys
import time

import nandseqgen
import pytest
from conftest import COMMAND, command


def test_the_command_and_the_module_are_of_one_version():
    version = command("--version")
    assert version.startswith("nandseqgen ")
    module = subprocess.run([sys.executable, "-m", "nandseqgen", "--version"], capture_output=True, text=True, check=True)
    assert module.stdout == version


def test_exit_codes_are_those_of_the_program(tmp_path):
    assert "Usage: nandseqgen" in command("--help")
    done = subprocess.run([COMMAND, "--nonsense"], capture_output=True, text=True)
    assert done.returncode == 2 and "unexpected argument '--nonsense'" in done.stderr
    done = subprocess.run([COMMAND, "verify", tmp_path / "none"], capture_output=True, text=True)
    assert done.returncode == 2 and "cannot read the sequences" in done.stderr


def test_ctrl_c_keeps_finished_runs(tmp_path):
    process = subprocess.Popen(
        [COMMAND, "--ops", "2000", "-n", "100000", "--out-dir", tmp_path], stderr=subprocess.PIPE, text=True
    )
    for _ in range(100):
        if list(tmp_path.glob("operation_sequence_*")):
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "finished runs are kept" in told or "1 finished run is kept" in told


def test_ctrl_c_ends_what_cannot_stop(tmp_path):
    command("--ops", 500_000, "--outputs", "operation_sequence", "-q", "--out-dir", tmp_path)
    process = subprocess.Popen([COMMAND, "verify", tmp_path], stdout=subprocess.DEVNULL)
    # Sites are judged in threads, so the command is at work when there are some.
    while len(os.listdir(f"/proc/{process.pid}/task")) == 1:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    assert process.wait() == -signal.SIGINT


def test_a_command_in_the_process_answers_as_the_program(tmp_path):
    assert nandseqgen.command("--version").printed == command("--version")
    assert nandseqgen.command("verify", "--help").printed.startswith("Judge written sequences")
    out = tmp_path / "out"
    written = nandseqgen.command("-q", "generate", "--ops", "50", "--site-count", "2", "--out-dir", out)
    assert (written.code, written.printed, written.told, written.remarks) == (0, "", "", [])
    assert nandseqgen.command("-q", "merge", out).code == 0
    short = nandseqgen.command("--ops", "100000", "-t", "2000", "--out-dir", tmp_path / "short")
    assert short.code == 4
    assert any("of 100,000 operations" in one.message for one in short.remarks if one.severity == "warning")


def test_a_list_of_campaigns_that_cannot_be_used_is_an_error(tmp_path):
    (tmp_path / "list.yaml").write_text("- {name: one, nonsense: 3}\n")
    with pytest.raises(nandseqgen.Error, match="nonsense") as raised:
        nandseqgen.command("run-list", tmp_path / "list.yaml")
    assert raised.value.exit_code == 2


def test_every_public_name_has_documentation():
    for name in nandseqgen.__all__:
        assert getattr(nandseqgen, name).__doc__, name
