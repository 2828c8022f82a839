"""docs/python.md shows what its blocks print. With UPDATE_DOCS=1 the page is made anew."""

import contextlib
import io
import os
import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "python.md"
# A block of Python, and what it prints, if the page shows it.
BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)


def test_the_page_shows_what_its_blocks_print(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    wrong = []

    def carried_out(block):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block[1], str(PAGE), "exec"), names)
        text = printed.getvalue()
        if text != (block[2] or ""):
            wrong.append((block[2], text))
        return f"```python\n{block[1]}```\n" + (f"\n```text\n{text}```\n" if text else "")

    page = PAGE.read_text(encoding="utf-8")
    new, count = BLOCK.subn(carried_out, page)
    assert count > 5
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(new, encoding="utf-8")
    else:
        assert wrong == []
