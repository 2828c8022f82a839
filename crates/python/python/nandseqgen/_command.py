"""The command ``nandseqgen``, for shells and for programs."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass, field

from . import _nandseqgen
from ._errors import Problem


def main() -> None:
    """Carry out the command line of this process, and end it with the exit code of the command."""
    # The interpreter would only note Ctrl-C, and act on it after the command. The command acts on it where it can stop.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_nandseqgen.command(["nandseqgen", *sys.argv[1:]]))


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    """The exit code: 0, or a verdict: 1 violations or differences found, 4 not reached what was asked for."""
    printed: str
    """What it printed."""
    told: str
    """Its notes and warnings, and what is printed for people while it works."""
    remarks: list[Problem] = field(repr=False)
    """These notes and warnings one by one, with their places."""


def command(*words: str | os.PathLike[str]) -> Answer:
    """Carries out any command of the program in this process, such as ``command("merge", "out")``.

    Variables of the environment that set flags do not count. Ctrl-C ends commands that make runs, ``verify`` and ``shrink``; others go
    on in the background.

    Raises :class:`Error` if it cannot be carried out. A verdict is no error: it is the exit code of the answer.
    """
    code, printed, told, remarks = _nandseqgen.answer([os.fspath(word) for word in words])
    return Answer(code, printed, told, [Problem(**remark) for remark in remarks])
