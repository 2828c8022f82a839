"""Random legal NAND operation sequences for automated test equipment.

The module does what the command ``nandseqgen`` does, and gives tables without files: whatever takes an Arrow stream takes
them, such as polars, pandas, pyarrow and DuckDB.

>>> import nandseqgen, polars
>>> for run in nandseqgen.generate(seed=42, runs=2, ops=1000):
...     frame = polars.DataFrame(run.sequence)

Times are simulated microseconds (µs). Every mistake is an :class:`Error` that says what to do.
"""

from ._command import Answer, command
from ._errors import Error, Problem, ProblemWarning, ProfileError
from ._generate import Run, Runs, Table, generate
from ._profile import Profile
from ._verdicts import (
    CoverageReport,
    Diagnosis,
    Finding,
    Shrunk,
    Verdict,
    coverage,
    diagnose,
    shrink,
    verify,
)

__all__ = [
    "Answer",
    "CoverageReport",
    "Diagnosis",
    "Error",
    "Finding",
    "Problem",
    "ProblemWarning",
    "Profile",
    "ProfileError",
    "Run",
    "Runs",
    "Shrunk",
    "Table",
    "Verdict",
    "command",
    "coverage",
    "diagnose",
    "generate",
    "shrink",
    "verify",
]
