"""``python -m nandseqgen`` is the command ``nandseqgen``."""

from ._command import main

main()
