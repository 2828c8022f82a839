"""Runs and their tables."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, SupportsIndex

from . import _nandseqgen
from ._errors import Error, Problem, warn
from ._profile import AnyProfile, Profile, as_profile

TABLES = (
    "operation_sequence",
    "operation_timeline",
    "op_state_timeline",
    "address_touch_count",
    "op_state_name_input_time_count",
    "phase_proposal_counts",
)
"""The names of the tables, as file names begin."""


class Table:
    """A table of a run, in memory.

    It is an Arrow stream (``__arrow_c_stream__``), as often as one asks for it: ``polars.DataFrame(table)``,
    ``pyarrow.table(table)``, ``pandas.DataFrame.from_arrow(table)``, ``duckdb.sql("from table")``. Names are strings, times are
    exact decimals in µs, addresses are 32-bit and counts 64-bit integers, the payload is a list of structs: the same as in the
    Parquet files of the command.
    """

    __slots__ = ("_native",)

    def __init__(self, native: _nandseqgen.Table) -> None:
        self._native = native

    @property
    def name(self) -> str:
        """The name of the table, such as ``operation_sequence``."""
        return self._native.name

    @property
    def columns(self) -> list[str]:
        """The names of its columns, in order."""
        return self._native.columns

    def __len__(self) -> int:
        return len(self._native)

    def __repr__(self) -> str:
        return f"<nandseqgen.Table {self.name}: {len(self)} rows>"

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A fresh stream of record batches from the first row. A wish for another schema is not followed."""
        return self._native.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        """The columns with their types."""
        return self._native.__arrow_c_schema__()


class Run:
    """A run of a site: what is known of it, and its tables."""

    __slots__ = ("_native",)

    def __init__(self, native: _nandseqgen.Run) -> None:
        self._native = native

    @property
    def site(self) -> int | None:
        """The number of its site; None for a single device."""
        return self._native.site

    @property
    def run(self) -> int:
        """Its number in the site, from 1."""
        return self._native.run

    @property
    def seed(self) -> int:
        """Its seed."""
        return self._native.seed

    @property
    def phase(self) -> str | None:
        """The phase of the test plan that it is of; None without phases."""
        return self._native.phase

    @property
    def operations(self) -> int:
        """Number of operations that started in it."""
        return self._native.operations

    @property
    def end(self) -> float:
        """When its last operation has ended, in µs since the start of the site's first run."""
        return self._native.end

    @property
    def dead_dies(self) -> list[int]:
        """The dies on which nothing can ever start again."""
        return self._native.dead_dies

    @property
    def tables(self) -> dict[str, Table]:
        """All tables that were asked for, by their names."""
        return {table.name: Table(table) for table in self._native.tables()}

    @property
    def sequence(self) -> Table:
        """``operation_sequence``: one row for each operation, in order of start. A tester runs it."""
        return Table(self._native.table("operation_sequence"))

    @property
    def timeline(self) -> Table:
        """``operation_timeline``: one row for each operation, target and stretch."""
        return Table(self._native.table("operation_timeline"))

    @property
    def op_states(self) -> Table:
        """``op_state_timeline``: one row for each plane and phase of an operation."""
        return Table(self._native.table("op_state_timeline"))

    @property
    def touches(self) -> Table:
        """``address_touch_count``: how often each page was programmed and read."""
        return Table(self._native.table("address_touch_count"))

    @property
    def input_times(self) -> Table:
        """``op_state_name_input_time_count``: what started in which op_state, after which fraction of its phase."""
        return Table(self._native.table("op_state_name_input_time_count"))

    @property
    def proposals(self) -> Table:
        """``phase_proposal_counts``: what was drawn and started under which phase key."""
        return Table(self._native.table("phase_proposal_counts"))

    def __repr__(self) -> str:
        site = "" if self.site is None else f"site {self.site} "
        return f"<nandseqgen.Run {site}run {self.run}: {self.operations} operations>"


class Runs(Iterator[Run]):
    """The runs of :func:`generate`, one after another. Runs ahead are made meanwhile, a few at most.

    It is a context manager: leaving it ends the work, and so does :meth:`close`. What was not reached, such as a share of a plan or
    ``ops``, is warned of after the last run.
    """

    __slots__ = ("_is_over", "_native", "profile")

    profile: Profile
    """The profile that the runs are of."""

    def __init__(self, native: _nandseqgen.Runs, profile: Profile) -> None:
        self._native = native
        self._is_over = False
        self.profile = profile

    def __iter__(self) -> Runs:
        return self

    def __next__(self) -> Run:
        run = self._native.next()
        if run is None:
            if not self._is_over:
                self._is_over = True
                warn(self._native.not_reached)
            raise StopIteration
        return Run(run)

    @property
    def most(self) -> int:
        """The number of runs of all sites. There are fewer if sites end early, as with ``until_coverage``."""
        return self._native.most

    @property
    def not_reached(self) -> list[Problem]:
        """What all runs together did not reach of what was asked for; empty before the last run was asked for."""
        return [Problem(**problem) for problem in self._native.not_reached]

    def close(self) -> None:
        """Ends the work. There are no further runs."""
        self._native.close()

    def __enter__(self) -> Runs:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def generate(
    profile: AnyProfile | None = None,
    *,
    seed: int = 42,
    sites: SupportsIndex | Iterable[int] | None = None,
    site_count: int | None = None,
    site_start: int | None = None,
    seed_formula: Literal["sequential", "hashed"] = "sequential",
    runs: int | None = None,
    run_until: float | str | None = None,
    ops: int | None = None,
    plan: str | os.PathLike[str] | None = None,
    expect: Literal["data"] | None = None,
    status: Literal["full"] | None = None,
    closure: bool = False,
    until_coverage: float | None = None,
    bootstrap: bool | None = None,
    probabilities: str | os.PathLike[str] | None = None,
    badlist: str | os.PathLike[str] | None = None,
    tables: Iterable[str] | None = None,
    jobs: int | None = None,
    flags: Sequence[str] = (),
) -> Runs:
    """Makes runs in memory. They are those that ``nandseqgen generate`` writes with the same flags.

    - ``profile``: the device, or the path of its profile; the built-in one by default.
    - ``seed``: the base seed, a whole number below 2^64.
    - ``sites``: the number of sites (1, 2, …), or the numbers of those that are wanted of a batch of ``site_count``. Without
      it there is one device without a number. ``site_start`` is the number of the first site, 1 by default.
    - ``runs``: runs of each site; 1 by default, or as the phases of the plan say.
    - ``run_until``: simulated time of each run, in µs; 100,000 by default, no limit with ``ops``.
    - ``ops``: operations after which a run stops. Chains that have begun are completed.
    - ``plan``: a test plan. ``expect="data"``: payloads say whose data passes. ``status="full"``: a status is a list.
    - ``closure``: go for what is not covered; ``until_coverage``: percent at which a site ends.
    - ``probabilities``, ``badlist``: files, as ``--op-state-probs`` and ``--badlist``. Without them those that lie beside the
      profile and in the current folder are read, as by the command.
    - ``tables``: names of the tables that are made; all six by default. Fewer are faster.
    - ``jobs``: threads. Nothing depends on it. ``flags``: further flags of the command, as words; those about files are refused.

    Runs come in one order: the first run of every site, then the second of every site, and so on. Memory does not grow with the
    number of runs. Other threads of Python go on meanwhile, and Ctrl-C is heard.

    Raises :class:`Error` for arguments that cannot be used, :class:`ProfileError` for files with mistakes. Warnings of the
    command are :class:`ProblemWarning`; those about what was not reached come after the last run.
    """
    device = as_profile(profile) or Profile.builtin()
    if isinstance(flags, str):
        raise TypeError(f"`flags` is a list of words, such as {flags.split()!r}")
    words = [f"--seed={seed}", f"--seed-formula={seed_formula}"]
    if isinstance(sites, Iterable):
        words.append("--sites=" + ",".join(str(operator.index(site)) for site in sites))
        words += [] if site_count is None else [f"--site-count={site_count}"]
    elif site_count is not None:
        raise Error("`site_count` is the size of the batch that a list `sites` picks from: `sites` alone may be a number of sites")
    elif sites is not None:
        words.append(f"--site-count={operator.index(sites)}")
    values = {
        "--site-start": site_start,
        "--num-runs": runs,
        "--run-until": run_until,
        "--ops": ops,
        "--plan": plan,
        "--expect": expect,
        "--status": status,
        "--until-coverage": until_coverage,
        "--op-state-probs": probabilities,
        "--badlist": badlist,
        "--jobs": jobs,
    }
    words += [f"{flag}={_word(value)}" for flag, value in values.items() if value is not None]
    words += ["--closure"] if closure else []
    if bootstrap is not None:
        words.append("--bootstrap" if bootstrap else "--no-bootstrap")
    wanted = list(TABLES if tables is None else tables)
    for name in wanted:
        if name not in TABLES:
            raise Error(f"`{name}` is no table: `tables` are of {', '.join(TABLES)}")
    words.append("--outputs=" + ",".join(wanted))
    native = _nandseqgen.Runs(device._native, [*words, *flags])
    warn(native.remarks)
    return Runs(native, device)


def _word(value: object) -> str:
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    # A whole number of µs or percent has no point, and no exponent.
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.12f}".rstrip("0")
    return str(value)
