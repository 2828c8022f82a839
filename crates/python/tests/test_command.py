"""The wheel has the command."""

import signal
import subprocess
import sys
import time

import nandseqgen
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


def test_every_public_name_has_documentation():
    for name in nandseqgen.__all__:
        assert getattr(nandseqgen, name).__doc__, name
