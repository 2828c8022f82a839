"""Lays the pages of the book out: pages.py ROOT PROGRAM FOLDER.

Copies the documents into FOLDER/src, makes their links lead inside the book, and adds what the program says of itself: its help, and the
keys of profiles and plans. Writes the table of contents. Exits with 1 when a document is in no chapter.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT, PROGRAM, FOLDER = (Path(argument) for argument in sys.argv[1:])
SOURCE = FOLDER / "src"

# Parts of the book: a title, and pages by their file in the repository. A page that is generated has a name without a file.
PARTS = [
    ("Tutorial", ["docs/tutorial.md", "docs/ko/tutorial.md"]),
    (
        "How to",
        [
            "docs/test-plans.md",
            "docs/campaigns.md",
            "docs/clusters.md",
            "docs/python.md",
            "docs/reports.md",
            "docs/explain.md",
            "docs/failures.md",
            "docs/diagnosis.md",
            "docs/shrinking.md",
            "examples/plans",
        ],
    ),
    (
        "Reference",
        [
            "docs/command-line.md",
            "reference/commands.md",
            "docs/profile-format.md",
            "reference/profile-keys.md",
            "docs/probability-tables.md",
            "reference/plan-keys.md",
            "docs/outputs.md",
            "docs/expected-data.md",
            "docs/glossary.md",
            "rulebook/README.md",
            "CHANGELOG.md",
        ],
    ),
    (
        "Explanation",
        [
            "docs/engine.md",
            "docs/closure.md",
            "docs/reachability.md",
            "docs/performance.md",
            "docs/decisions.md",
            "docs/predecessor-sample.md",
            "ARCHITECTURE.md",
            "CONTRIBUTING.md",
        ],
    ),
]
LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s]+)(\))")


def place(path):
    """Where a file of the repository lies in the book, without regard to whether it does."""
    if path == Path("examples/plans"):
        return Path("examples/plans.md")
    # The first page of a folder.
    return path.with_name("index.md") if path.name == "README.md" else path


def title(text):
    """The first heading of a page."""
    return next((line[2:].strip() for line in text.splitlines() if line.startswith("# ")), None)


def rewritten(text, path):
    """A page whose links lead to where the book has what they name. What is no page is copied beside the pages."""
    here = place(path).parent

    def link(match):
        before, target, after = match.groups()
        if re.match(r"[a-z]+:", target) or target.startswith("#"):
            return match[0]
        name, hash_sign, anchor = target.partition("#")
        named = Path(os.path.normpath(path.parent / name))
        if (ROOT / named).is_dir() and named != Path("examples/plans"):
            named = named / "README.md"
        lies = place(named)
        if lies.suffix != ".md" and (ROOT / named).is_file():
            copy = SOURCE / lies
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes((ROOT / named).read_bytes())
        return before + os.path.relpath(lies, here) + hash_sign + anchor + after

    # Links inside blocks of code are text.
    pieces = re.split(r"(^```.*?^```$)", text, flags=re.M | re.S)
    return "".join(piece if piece.startswith("```") else LINK.sub(link, piece) for piece in pieces)


def write(lies, text):
    target = SOURCE / lies
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


def program(*arguments):
    return subprocess.run([PROGRAM, *arguments], check=True, capture_output=True, text=True).stdout


def commands():
    """The help of every command, as the program prints it."""
    page = ["# Commands and flags", "", "What `--help` prints for each command."]

    def add(words):
        text = program(*words, "--help")
        page.extend(["", "## " + " ".join(["nandseqgen", *words]), "", "```text", text.rstrip(), "```"])
        listed = re.search(r"^Commands:\n(.*?)\n\n", text, re.M | re.S)
        for name in re.findall(r"^  ([a-z-]+)", listed[1] if listed else "", re.M):
            if name != "help":
                add([*words, name])

    add([])
    return "\n".join(page) + "\n"


def named(part, schema):
    """A part of a schema, or what it refers to by name."""
    if "$ref" not in part:
        return part
    name = part["$ref"].rsplit("/", 1)[1]
    return schema.get("definitions", schema.get("$defs", {}))[name]


def kind(part, schema):
    """What a value may be, in a few words."""
    part = named(part, schema)
    if "enum" in part:
        return "one of " + ", ".join(f"`{value}`" for value in part["enum"])
    if "const" in part:
        return f"`{json.dumps(part['const'])}`"
    for both in ("anyOf", "oneOf"):
        if both in part:
            return "; or ".join(dict.fromkeys(kind(choice, schema) for choice in part[both]))
    types = part.get("type", "keys" if "properties" in part else "any value")
    words = types if isinstance(types, str) else " or ".join(types)
    if "array" in words and isinstance(part.get("items"), dict):
        words = words.replace("array", "list of " + kind(part["items"], schema))
    words = words.replace("object", "keys")
    bounds = [f"{word} {part[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in part]
    return " ".join([words, *bounds])


def keys(command, heading):
    """A row for each key that a schema knows, with its path and what it may be."""
    schema = json.loads(program(command, "schema"))
    rows = {}

    def look(part, path):
        part = named(part, schema)
        required = part.get("required", [])
        for name, value in part.get("properties", {}).items():
            inner = f"{path}.{name}" if path else name
            said = kind(value, schema) + (", required" if name in required else "")
            said += f". {value['description']}" if "description" in value else ""
            rows.setdefault(inner, said.replace("|", "\\|").replace("\n", " "))
            look(value, inner)
        for name in ("additionalProperties", "items"):
            if isinstance(part.get(name), dict):
                look(part[name], path + (".NAME" if name == "additionalProperties" else "[]"))
        for pattern, value in part.get("patternProperties", {}).items():
            look(value, f"{path}.NAME")
        for both in ("anyOf", "oneOf", "allOf"):
            for choice in part.get(both, []):
                look(choice, path)

    look(schema, "")
    assert len(rows) > 20, f"the schema of {command} has {len(rows)} keys"
    table = [f"| `{path}` | {said} |" for path, said in rows.items()]
    about = f"Every key, from `nandseqgen {command} schema`. `NAME` stands for a name of yours, `[]` for each entry of a list."
    return "\n".join([f"# {heading}", "", about, "", "| key | value |", "| --- | --- |", *table]) + "\n"


def plans():
    """The example plans, whole."""
    page = ["# Example plans", "", "Each runs as it stands: [Test plans](../docs/test-plans.md) says how."]
    for plan in sorted((ROOT / "examples/plans").glob("*.yaml")):
        page.extend(["", f"## {plan.name}", "", "```yaml", plan.read_text().rstrip(), "```"])
    return "\n".join(page) + "\n"


def main():
    SOURCE.mkdir(parents=True)
    (FOLDER / "book.toml").write_bytes((ROOT / "docs/book.toml").read_bytes())
    generated = {
        "reference/commands.md": commands(),
        "reference/profile-keys.md": keys("profile", "Keys of a profile"),
        "reference/plan-keys.md": keys("plan", "Keys of a test plan"),
        "examples/plans": plans(),
    }
    contents = ["# nandseqgen", "", "[nandseqgen](index.md)"]
    write(Path("index.md"), rewritten((ROOT / "README.md").read_text(), Path("README.md")))
    listed = {Path("README.md")}
    for part, pages in PARTS:
        contents.extend(["", f"# {part}", ""])
        for page in map(Path, pages):
            text = generated.get(str(page)) or rewritten((ROOT / page).read_text(), page)
            write(place(page), text)
            listed.add(page)
            contents.append(f"- [{title(text)}]({place(page)})")
            if page == Path("rulebook/README.md"):
                for rule in sorted((ROOT / "rulebook").glob("[a-z]*.md")):
                    rule = rule.relative_to(ROOT)
                    text = rewritten((ROOT / rule).read_text(), rule)
                    write(place(rule), text)
                    contents.append(f"  - [{title(text)}]({rule})")
    write(Path("SUMMARY.md"), "\n".join(contents) + "\n")
    missing = {page.relative_to(ROOT) for page in (ROOT / "docs").rglob("*.md")} - listed
    if missing:
        names = ", ".join(sorted(map(str, missing)))
        sys.exit(f"book: in no chapter of scripts/book/pages.py: {names}")


main()
