"""The command ``nandseqgen``."""

import sys

from . import _nandseqgen


def main() -> None:
    """Carry out the command line of this process, and end it with the exit code of the command."""
    sys.exit(_nandseqgen.command(["nandseqgen", *sys.argv[1:]]))
