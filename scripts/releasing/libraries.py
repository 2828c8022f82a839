"""Lists the libraries of the program with their licences, as CycloneDX 1.5: libraries.py HOST EPOCH

Only what is built into the program for HOST counts, not what its tests need. Exits with 1 if a library has a licence that is not allowed here.
"""

import json
import subprocess
import sys
from datetime import datetime, timezone

ALLOWED = {"MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Unicode-3.0", "Zlib", "0BSD", "MIT-0", "CC0-1.0", "Unlicense",
           "BSL-1.0"}


def is_allowed(licence: str) -> bool:
    """Whether an expression of SPDX licences can be met by allowed ones. Its older form has / for OR."""
    def alternatives(text):
        return text.replace("/", " OR ").split(" OR ")
    parts = [part.strip("() ") for part in licence.split(" AND ")]
    return all(any(one.split(" WITH ")[0].strip("() ") in ALLOWED for one in alternatives(part)) for part in parts)


def built_in(metadata: dict) -> list[dict]:
    """The packages that the program is made of: those that it, and what it needs, depend on when it is built."""
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    program = next(id for id, package in packages.items() if package["name"] == "nandseqgen")
    seen, waiting = set(), [program]
    while waiting:
        id = waiting.pop()
        if id in seen:
            continue
        seen.add(id)
        needed = (dep for dep in nodes[id]["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"]))
        waiting.extend(dep["pkg"] for dep in needed)
    return sorted((packages[id] for id in seen - {program}), key=lambda package: (package["name"], package["version"]))


def main() -> int:
    host, epoch = sys.argv[1], int(sys.argv[2])
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", host]
    metadata = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    program = next(package for package in metadata["packages"] if package["name"] == "nandseqgen")
    libraries = built_in(metadata)
    refused = [package for package in libraries if not is_allowed(package["license"] or "")]
    for package in refused:
        print(f"{package['name']} {package['version']}: the licence {package['license']} is not allowed", file=sys.stderr)
    parts = []
    for package in libraries:
        part = {
            "type": "library",
            "name": package["name"],
            "version": package["version"],
            "licenses": [{"expression": (package["license"] or "").replace("/", " OR ")}],
        }
        if package["source"]:
            part["purl"] = f"pkg:cargo/{package['name']}@{package['version']}"
        parts.append(part)
    time = datetime.fromtimestamp(epoch, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    whole = {"type": "application", "name": program["name"], "version": program["version"]}
    listed = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
              "metadata": {"timestamp": time, "component": whole}, "components": parts}
    json.dump(listed, sys.stdout, indent=1)
    print()
    return 1 if refused else 0


sys.exit(main())
