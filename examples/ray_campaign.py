"""A campaign on a Ray cluster: one task for each shard, retries that go on where a worker stopped, and one merge at the end.

    python examples/ray_campaign.py --shards 8 --out-dir /shared/out -- --site-count 32 --num-runs 2 --run-until 20000

What follows `--` are flags of `nandseqgen generate`, the same for every shard. The folder is one that all nodes share. The wheel of
nandseqgen is installed on every node. A task whose worker dies, or whose node does, is tried again by Ray: it takes up its shard at
the newest snapshot of each site. The manifest that `merge` writes is that of one execution.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import ray


@ray.remote(num_cpus=1, max_retries=4, retry_exceptions=False)
def make_shard(number: int, shards: int, out_dir: str, flags: list[str], pids: str | None) -> dict:
    """Makes a shard in the worker's own process, so that nothing goes on when the worker is killed."""
    import nandseqgen

    if pids is not None:
        Path(pids, f"{number}.{os.getpid()}").touch()
    began = time.perf_counter()
    made = nandseqgen.command(
        *["generate", *flags, "--quiet", "--jobs", "1", "--shard", f"{number}/{shards}"],
        *["--out-dir", out_dir, "--resume", out_dir],
    )
    return {"shard": number, "code": made.code, "seconds": time.perf_counter() - began, "told": made.told}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=int, required=True, help="number of shards; it belongs to the campaign")
    parser.add_argument("--out-dir", required=True, help="a folder that all nodes share")
    parser.add_argument("--address", help="the Ray cluster; without it, one on this machine")
    parser.add_argument("--pids", help="a folder for the process numbers of workers, to try out what a kill does")
    parser.add_argument("flags", nargs="*", help="flags of `nandseqgen generate`")
    arguments = parser.parse_args()
    out_dir = str(Path(arguments.out_dir).resolve())
    # The date in file names must be the same for all shards, also for those that run after midnight.
    has_stamp = any(flag == "--stamp" or flag.startswith("--stamp=") for flag in arguments.flags)
    stamp = [] if has_stamp else ["--stamp", time.strftime("%Y-%m-%d", time.gmtime())]
    flags = [*arguments.flags, *stamp]

    ray.init(address=arguments.address, include_dashboard=False, log_to_driver=False, logging_level="warning")
    began = time.perf_counter()
    tasks = [
        make_shard.remote(number, arguments.shards, out_dir, flags, arguments.pids)
        for number in range(1, arguments.shards + 1)
    ]
    shards = ray.get(tasks)
    tasks_took = time.perf_counter() - began
    # A shard that cannot be made raises in its task. Code 4 says that something was not reached, such as a coverage.
    for shard in shards:
        if shard["code"] != 0:
            print(f"shard {shard['shard']}: {shard['told']}", end="", file=sys.stderr)

    import nandseqgen

    began = time.perf_counter()
    merged = nandseqgen.command("merge", out_dir)
    print(merged.printed, end="")
    print(
        json.dumps(
            {
                "shards": len(shards),
                "seconds of the tasks": round(tasks_took, 2),
                "seconds of generating": round(sum(shard["seconds"] for shard in shards), 2),
                "seconds of the merge": round(time.perf_counter() - began, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
