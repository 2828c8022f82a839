"""Verdicts on runs: legality, coverage, diagnosis, shrinking."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from . import _nandseqgen
from ._errors import Error, warn
from ._generate import Run, Runs
from ._profile import AnyPath, AnyProfile, Profile, as_profile


@dataclass(frozen=True)
class Finding:
    """A rule that an operation, or a row of a table, breaks."""

    rule: str
    """The code of the rule, such as ``program_order``; ``nandseqgen explain --rule CODE`` says more."""
    sentence: str
    """What the rule says."""
    message: str
    """What is wrong."""
    file: str
    """The file of the row; ``run 1/operation_sequence.arrow`` for the first run in memory."""
    row: int
    """The row in its table, from 1; 0 is the header."""
    line: int | None
    """The line of a file of lines, from 1."""
    time_us: float | None
    """The start of the operation, in µs."""
    op_uid: int | None
    """The number of the operation in its site."""
    op_name: str | None
    """The name of the operation."""
    targets: list[dict[str, Any]] = field(default_factory=list)
    """The addresses of the operation."""


@dataclass(frozen=True)
class Verdict:
    """The verdict on runs."""

    clean: bool
    """Whether no rule is broken and every file is as its manifest says."""
    operations: int
    """Number of operations judged."""
    findings: list[Finding]
    """The first findings of each rule; ``counts`` counts all."""
    counts: dict[str, int]
    """How often each rule is broken, by its code; rules that are kept are left out."""
    notes: list[str]
    """Remarks for the reader of the verdict."""
    damage: list[str]
    """Files that are not as the manifest says."""
    report: list[dict[str, Any]] = field(repr=False)
    """What ``verify --format json`` says; for runs in memory one object for each site."""

    def __bool__(self) -> bool:
        return self.clean


def verify(
    profile: AnyProfile | None,
    what: object,
    *,
    max_findings: int = 10,
    badlist: AnyPath | None = None,
    expect: Literal["data"] | None = None,
    status: Literal["full"] | None = None,
    jobs: int | None = None,
) -> Verdict:
    """Judges runs by every rule of the device. No finding is an error: look at ``clean``.

    - ``what``: a :class:`Run`, several of them, or the runs of :func:`generate`; the path of a sequence, a site or a batch, or
      several of them; or a table ``operation_sequence`` from anywhere (``__arrow_c_stream__``), such as a polars frame. A dict
      of tables by their names is a run whose tables are compared too.
    - ``profile``: the device, or the path of its profile; None for the built-in one, or for the one that a manifest names. A run knows its own, which
      ``profile`` must be then.
    - ``max_findings``: findings of each rule that are listed; all are counted.
    - ``expect``, ``status``: as the flags of the command, for paths and tables of which no manifest and no run says it.
    - ``badlist``, ``jobs``: as the flags of the command, for paths alone.

    Runs of one site are judged together: all of them from the first, each once. All runs of :func:`generate` are kept for that:
    judge long campaigns by path, or site by site. Ctrl-C ends it.

    Raises :class:`Error` if nothing can be judged, ``TypeError`` for what is no run, table or path.
    """
    what, paths = _paths(what)
    if paths is None:
        _for_paths_alone(badlist=badlist, jobs=jobs)
        sites = _sites(what)
        if any(isinstance(run, _nandseqgen.Run) for runs in sites for run in runs):
            _refuse("is known of runs of `generate`: leave it out", expect=expect, status=status)
            known = as_profile(profile)
        else:
            known = as_profile(profile) or Profile.builtin()
        native = None if known is None else known._native
        judged = [
            _nandseqgen.judge(native, runs, max_findings, expect is not None, status is not None) for runs in sites
        ]
        return _verdict([json.loads(answer) for _, answer, _ in judged])
    words = ["verify", f"--max-findings={max_findings}"]
    words += _flags({"--badlist": badlist, "--expect": expect, "--status": status, "--jobs": jobs})
    return _verdict([_answer(words, profile, paths)])


def _sites(what: object) -> list[list[_nandseqgen.Run | list[tuple[str, object]]]]:
    """The runs of each site."""
    if isinstance(what, Run):
        return [[what._native]]
    if isinstance(what, Mapping):
        return [[list(what.items())]]
    if hasattr(what, "__arrow_c_stream__"):
        return [[[("operation_sequence", what)]]]
    if isinstance(what, (str, os.PathLike)):
        raise TypeError(f"{os.fspath(what)!r} is a path: paths are judged by themselves, without runs and tables")
    if not isinstance(what, Iterable):
        raise TypeError(f"{type(what).__name__} is no run, no table and no path")
    sites: dict[int | None, list[_nandseqgen.Run | list[tuple[str, object]]]] = {}
    for run in what:
        if isinstance(run, Run):
            sites.setdefault(run.site, []).append(run._native)
        elif isinstance(run, Mapping) or hasattr(run, "__arrow_c_stream__") or isinstance(run, (str, os.PathLike)):
            for runs in _sites(run):
                sites.setdefault(None, []).extend(runs)
        else:
            raise TypeError(f"{type(run).__name__} is no run, no table and no path")
    if not sites:
        raise Error("there is no run to judge")
    for runs in sites.values():
        # Runs are judged in their order, tables as they come.
        runs.sort(key=lambda run: run.run if isinstance(run, _nandseqgen.Run) else 0)
    return list(sites.values())


def _verdict(reports: list[dict[str, Any]]) -> Verdict:
    findings = []
    counts: dict[str, int] = {}
    for report in reports:
        for rule in report["rules"]:
            counts[rule["rule"]] = counts.get(rule["rule"], 0) + rule["findings"] + rule["followers"]
            findings += [
                Finding(
                    rule=rule["rule"],
                    sentence=rule["sentence"],
                    message=one["message"],
                    file=one["file"],
                    row=one["row"],
                    line=one["line"] if Path(one["file"]).suffix != ".arrow" else None,
                    time_us=None if one["time_ps"] is None else one["time_ps"] / 1e6,
                    op_uid=one["op_uid"],
                    op_name=one["op_name"],
                    targets=one["targets"],
                )
                for one in rule["first"]
            ]
    sites = [site for report in reports for site in report["sites"]]
    return Verdict(
        clean=all(report["clean"] for report in reports),
        operations=sum(report["operations"] for report in reports),
        findings=findings,
        counts=counts,
        notes=[note for part in [*reports, *sites] for note in part["notes"]],
        damage=[f"{one['file']}: {one['message']}" for site in sites for one in site["damage"]],
        report=reports,
    )


@dataclass(frozen=True)
class CoverageReport:
    """How much of what can be proposed was proposed, and what was not."""

    percent: float
    """Percent of the bins that were hit. A bin is a phase key, an operation and a tenth of the phase."""
    hit: int
    """Number of bins that were hit."""
    bins: int
    """Number of bins."""
    uncovered: list[dict[str, Any]] = field(repr=False)
    """What was not hit, nearest first: ``phase_key``, ``op_name`` and more. Of runs in memory no refusals are known as a cause."""
    report: dict[str, Any] = field(repr=False)
    """What ``coverage report --format json`` says."""


_PLAN_LEFT_OUT: dict[str, Any] = {
    "severity": "warning",
    "code": None,
    "message": "what these runs did of their test plan is not counted in memory",
    "help": "write them with the command, and ask for the coverage of the folder",
    "file": None,
    "line": None,
    "column": None,
}


def coverage(
    what: object, *, profile: AnyProfile | None = None, plan: AnyPath | None = None
) -> CoverageReport:
    """Says how much was covered.

    - ``what``: a :class:`Run`, several of one :func:`generate`, or its runs as they come, in constant memory; or the path of
      a site, a batch or a file of ``coverage merge``, or several of them.
    - ``profile``, ``plan``: as the flags of the command, for paths alone. What runs did of a plan is counted for paths alone too.

    Raises :class:`Error` if a table is missing that coverage is counted from.
    """
    what, paths = _paths(what)
    if paths is not None:
        return _covered(_answer(["coverage", "report", *_flags({"--plan": plan})], profile, paths))
    _for_paths_alone(profile=profile, plan=plan)
    counted: _nandseqgen.Coverage | None = None
    for run in [what] if isinstance(what, Run) else _runs(what):
        if counted is None:
            counted = _nandseqgen.Coverage(run._native)
            warn([*counted.remarks, *([_PLAN_LEFT_OUT] if counted.has_plan else [])])
        else:
            counted.add(run._native)
    if counted is None:
        raise Error("there is no run to count")
    return _covered(json.loads(counted.report()))


def _covered(report: dict[str, Any]) -> CoverageReport:
    figures = report["merged"]
    return CoverageReport(figures["closure"], figures["hit"], figures["cells"], report["holes"], report)


def _runs(what: object) -> Iterable[Run]:
    if not isinstance(what, Iterable) or isinstance(what, Mapping):
        raise TypeError(f"{type(what).__name__} is no run and no path")
    for run in what:
        if not isinstance(run, Run):
            raise TypeError(f"{type(run).__name__} is no run")
        yield run


@dataclass(frozen=True)
class Diagnosis:
    """What goes with failing."""

    verdict: str
    """What is bad, as a sentence."""
    suspects: list[dict[str, Any]]
    """The suspects, the best first."""
    report: dict[str, Any] = field(repr=False)
    """What ``diagnose --format json`` says."""


def diagnose(
    what: AnyPath | Iterable[AnyPath],
    fails: AnyPath,
    *,
    profile: AnyProfile | None = None,
    others: Literal["passed", "unknown"] = "unknown",
    fields: Mapping[str, str] | None = None,
    metric: Literal["ochiai", "dstar", "tarantula"] = "ochiai",
    seed: int = 1,
    page: AnyPath | None = None,
    confirm: int | None = None,
    plans: AnyPath | None = None,
) -> Diagnosis:
    """Says what goes with failing in written runs: a combination of operations, or a bad site or block.

    - ``what``: the folder of a site or a batch, or several of them. ``fails``: what the tester reported, CSV or STDF V4.
    - ``others``: what runs count as that the file does not name. ``fields``: names of its fields, by ``site``, ``run`` and
      ``op_uid``.
    - ``page``: a page to write. ``confirm``: write a test plan for each of so many suspects into ``plans``.

    Raises :class:`Error` if the fails are not of these runs, or there is none.
    """
    words = ["diagnose", f"--fails={os.fspath(fails)}", f"--others={others}", f"--metric={metric}", f"--seed={seed}"]
    words += _flags({"--output": page, "--confirm": confirm, "--plans": plans})
    if fields:
        words.append("--map=" + ",".join(f"{name}={there}" for name, there in fields.items()))
    paths = _paths(what)[1]
    if paths is None:
        raise TypeError("`what` is a path, or several: runs in memory are not diagnosed, because fails name written ones")
    report = _answer(words, profile, paths)
    return Diagnosis(report["verdict"], report["suspects"], report)


@dataclass(frozen=True)
class Shrunk:
    """The smallest legal sequence that still fails."""

    path: str
    """The folder of the sequence, with its tables and its story."""
    operations: list[dict[str, Any]]
    """What remains: ``seq``, ``time`` (µs), ``op_name``, ``address``, and why each is needed."""
    story: dict[str, Any] = field(repr=False)
    """What ``shrink --format json`` says."""


def shrink(
    what: AnyPath,
    oracle: Callable[[Path], object],
    into: AnyPath,
    *,
    profile: AnyProfile | None = None,
    site: int | None = None,
    run: int | None = None,
    op: int | None = None,
    repeat: int = 1,
    fails_at_least: int = 1,
    jobs: int = 1,
) -> Shrunk:
    """Finds the smallest legal sequence that still fails.

    - ``what``: the folder of a site or a batch, or a sequence. ``oracle`` is called with the path of a sequence, a CSV file; what
      it returns is true if the sequence fails. It is called in other threads than the caller's: one call after another, or several
      at the same time with ``jobs`` above 1.
    - ``into``: a folder for the result, and for what is known. The same call goes on with it after an interruption. Ctrl-C ends the
      search after the call of ``oracle`` that is under way; a second one leaves that in the background.
    - ``site``, ``run``, ``op``: what failed: the only site, the last run, and an ``op_uid`` if it is known.
    - ``repeat``, ``fails_at_least``: how often each is asked, and how often it must fail.

    Raises :class:`Error` if the whole run does not fail, or ``oracle`` raises: then that is its cause, and the same call goes on.
    """
    words = ["shrink", "--oracle=function", f"--into={os.fspath(into)}", "--format=json"]
    words += _flags({"--site": site, "--run": run, "--op": op, "--repeat": repeat})
    words += _flags({"--fails-at-least": fails_at_least, "--jobs": jobs})
    device = as_profile(profile)
    words += [] if device is None else device._flags()

    def fails(sequence: Path) -> object:
        answer = oracle(sequence)
        if answer is None:
            raise TypeError("the oracle returned None: it returns True if the sequence fails, and False if it passes")
        return answer

    _, printed, _, remarks = _nandseqgen.shrink([*words, "--", os.fspath(what)], fails)
    warn(remarks)
    story = json.loads(printed)
    return Shrunk(os.fspath(into), story["operations"], story)


def _paths(what: object) -> tuple[object, list[str] | None]:
    """What is asked about, and the paths, if it is paths. An iterator is looked into for its first item."""
    if isinstance(what, (str, os.PathLike)):
        return what, [os.fspath(what)]
    if isinstance(what, (Run, Runs, Mapping)) or hasattr(what, "__arrow_c_stream__") or not isinstance(what, Iterable):
        return what, None
    items = iter(what)
    first = list(itertools.islice(items, 1))
    what = itertools.chain(first, items)
    if not first or not isinstance(first[0], (str, os.PathLike)):
        return what, None
    several = list(what)
    for one in several:
        if not isinstance(one, (str, os.PathLike)):
            raise TypeError(f"{type(one).__name__} is no path, and the others are paths")
    return several, [os.fspath(one) for one in several]


def _for_paths_alone(**given: object) -> None:
    """Refuses arguments that nothing in memory is judged by."""
    _refuse("is for paths alone", **given)


def _refuse(why: str, **given: object) -> None:
    for name, value in given.items():
        if value is not None:
            raise Error(f"`{name}` {why}")


def _flags(values: Mapping[str, object]) -> list[str]:
    words = {flag: os.fspath(value) if isinstance(value, os.PathLike) else value for flag, value in values.items()}
    return [f"{flag}={value}" for flag, value in words.items() if value is not None]


def _answer(words: list[str], profile: AnyProfile | None, paths: list[str]) -> dict[str, Any]:
    """The JSON that a command prints."""
    known = as_profile(profile)
    device = [] if known is None else known._flags()
    _, printed, _, remarks = _nandseqgen.answer([*words, "--format=json", *device, "--", *paths])
    warn(remarks)
    answer: dict[str, Any] = json.loads(printed)
    return answer
