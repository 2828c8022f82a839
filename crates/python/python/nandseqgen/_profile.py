"""Device profiles."""

from __future__ import annotations

import os

from . import _nandseqgen
from ._errors import Problem


AnyPath = str | os.PathLike[str]


class Profile:
    """A device: what it has, what it can do, and how often what is tried."""

    __slots__ = ("_native",)

    def __init__(self, native: _nandseqgen.Profile) -> None:
        self._native = native

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, lenient: bool = False) -> Profile:
        """Reads a profile, native or legacy, as ``--config`` does.

        With ``lenient``, operations that it describes wrongly are left out.

        Raises :class:`ProfileError` with all mistakes and their places, or if the file cannot be read.
        """
        return cls(_nandseqgen.Profile.read(os.fspath(path), lenient))

    @classmethod
    def builtin(cls) -> Profile:
        """The built-in device."""
        return cls(_nandseqgen.Profile.read(None, False))

    def check(self) -> list[Problem]:
        """The warnings and notes about the profile, in order of their places. A profile with an error is not loaded at all."""
        return [Problem(**found) for found in self._native.check()]

    @property
    def name(self) -> str:
        """The name that the profile gives itself."""
        return self._native.name

    @property
    def path(self) -> str | None:
        """The file that it was read from; None for the built-in device."""
        path = self._native.path
        return None if path is None else os.fspath(path)

    @property
    def text(self) -> str:
        """The text that it was read from."""
        return self._native.text

    @property
    def dies(self) -> int:
        """Number of dies."""
        return self._native.dies

    @property
    def planes(self) -> int:
        """Number of planes of each die."""
        return self._native.planes

    @property
    def ops(self) -> list[str]:
        """The names of the operations."""
        return self._native.ops

    def __repr__(self) -> str:
        return f"<nandseqgen.Profile {self.name}>"

    def _flags(self) -> list[str]:
        """The flags that select it."""
        flags = [] if self.path is None else [f"--config={self.path}"]
        return flags + ["--lenient"] if self._native.lenient else flags


AnyProfile = Profile | AnyPath


def as_profile(profile: AnyProfile | None) -> Profile | None:
    """A profile as it is, or the one of a path."""
    if profile is None or isinstance(profile, Profile):
        return profile
    if isinstance(profile, (str, os.PathLike)):
        return Profile.load(profile)
    raise TypeError(f"`profile` is a Profile or a path, not {type(profile).__name__}")
