"""What can go wrong, as exceptions with places."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, or worth a remark."""

    severity: str
    """``error``, ``warning`` or ``note``."""
    code: str | None
    """Its code, which stays the same in later versions; None for what is wrong with arguments."""
    message: str
    """What is wrong."""
    help: str | None
    """What to do."""
    file: str | None
    """The file; None for what is wrong with arguments."""
    line: int | None
    """The line, from 1; None if it is about the whole file."""
    column: int | None
    """The column, from 1."""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return f"{place}: {self.message}" if place else self.message


class Error(Exception):
    """A call was not carried out. The text says why, and what to do."""

    exit_code: int
    """The exit code that the command would have: 2 wrong usage or unusable input, 3 could not write, 4 nothing can start."""
    problems: list[Problem]
    """What is wrong, one by one; empty if only the text says it."""

    def __init__(self, text: str, exit_code: int = 2, problems: list[Problem] | None = None) -> None:
        super().__init__(text)
        self.exit_code = exit_code
        self.problems = problems or []

    @property
    def _first(self) -> Problem | None:
        """The first problem with a place, otherwise the first."""
        placed = (problem for problem in self.problems if problem.file is not None)
        return next(placed, self.problems[0] if self.problems else None)

    @property
    def file(self) -> str | None:
        """The file that the first problem with a place is in."""
        return self._first.file if self._first else None

    @property
    def line(self) -> int | None:
        """The line of that problem, from 1."""
        return self._first.line if self._first else None

    @property
    def column(self) -> int | None:
        """The column of that problem, from 1."""
        return self._first.column if self._first else None

    @property
    def help(self) -> str | None:
        """What to do about that problem; about the first one if none has a place."""
        return self._first.help if self._first else None


class ProfileError(Error, ValueError):
    """A file that was read has mistakes: a profile, a test plan, a table. Each of ``problems`` has its place."""


def of_refusal(exit_code: int, text: str, problems: list[dict[str, Any]]) -> BaseException:
    """The exception for a refusal of the native half."""
    if exit_code == 130:
        return KeyboardInterrupt()
    all_problems = [Problem(**problem) for problem in problems]
    kind = ProfileError if any(problem.file is not None for problem in all_problems) else Error
    return kind(text, exit_code, all_problems)


class ProblemWarning(UserWarning):
    """A warning of the command. ``problem`` has its place, and what to do."""

    problem: Problem

    def __init__(self, problem: Problem) -> None:
        help = "" if problem.help is None else f"\n  help: {problem.help}"
        super().__init__(f"{problem}{help}")
        self.problem = problem


def warn(remarks: list[dict[str, Any]]) -> None:
    """Passes on the warnings among the remarks of a command, as of the line that called this package; notes are left out."""
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_globals.get("__package__") == __package__:
        frame, level = frame.f_back, level + 1
    for problem in (Problem(**remark) for remark in remarks):
        if problem.severity == "warning":
            warnings.warn(ProblemWarning(problem), stacklevel=level)
