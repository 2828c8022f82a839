"""The command ``nandseqgen``, for shells and for programs."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from . import _nandseqgen


def main() -> None:
    """Carry out the command line of this process, and end it with the exit code of the command."""
    sys.exit(_nandseqgen.command(["nandseqgen", *sys.argv[1:]]))


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    """The exit code: 0, or a verdict: 1 violations or differences found, 4 not reached what was asked for."""
    printed: str
    """What it printed."""
    told: str
    """Its notes and warnings."""


def command(*words: str | os.PathLike[str]) -> Answer:
    """Carries out any command of the program in this process, such as ``command("merge", "out")``.

    Raises :class:`Error` if it cannot be carried out. A verdict is no error: it is the exit code of the answer.
    """
    return Answer(*_nandseqgen.answer([os.fspath(word) for word in words]))
