#!/usr/bin/env python3
"""Compares exported timelines with the CSV files of the same runs, through readers that nobody here wrote.

    check_timelines.py DIR [--perfetto FILE [--flows data]] [--vcd FILE]

Needs the PyPI packages perfetto and protobuf (the classes of the trace format), and vcdvcd. Exits with 1 at the first difference.
DIR holds the folders of sites, or is one.
"""

import argparse
import collections
import csv
import decimal
import glob
import json
import os
import re
import sys


def ps(text):
    return int(decimal.Decimal(text) * 1_000_000)


def sites(root):
    found = sorted({os.path.dirname(path) for path in glob.glob(f"{root}/**/operation_sequence_*.csv", recursive=True)})
    if not found:
        sys.exit(f"no runs in {root}")
    return {os.path.basename(folder): folder for folder in found}


def rows(folder, kind):
    for path in sorted(glob.glob(f"{folder}/{kind}_*_*.csv")):
        with open(path, newline="") as file:
            yield from csv.DictReader(file)


def same(what, ours, theirs):
    if ours != theirs:
        for one in list((ours - theirs).items())[:3]:
            print(f"only in the export: {one}", file=sys.stderr)
        for one in list((theirs - ours).items())[:3]:
            print(f"only in the tables: {one}", file=sys.stderr)
        sys.exit(f"{what}: the export and the tables differ")
    print(f"{what}: {sum(ours.values())} agree")


class Trace:
    """Tracks and slices of a native Perfetto trace."""

    def __init__(self, path):
        from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace as Message, TrackEvent

        trace = Message()
        with open(path, "rb") as file:
            trace.ParseFromString(file.read())
        names, keys, texts = {}, {}, {}
        self.tracks, self.slices = {}, []
        open_slices = collections.defaultdict(list)
        last = collections.defaultdict(int)
        for packet in trace.packet:
            names.update({one.iid: one.name for one in packet.interned_data.event_names})
            keys.update({one.iid: one.name for one in packet.interned_data.debug_annotation_names})
            texts.update({one.iid: one.str.decode() for one in packet.interned_data.debug_annotation_string_values})
            if packet.HasField("track_descriptor"):
                self.tracks[packet.track_descriptor.uuid] = packet.track_descriptor
            if not packet.HasField("track_event"):
                continue
            event = packet.track_event
            assert event.track_uuid in self.tracks, "an event on a track that was not described"
            assert packet.timestamp >= last[event.track_uuid], "time runs backwards on a track"
            last[event.track_uuid] = packet.timestamp
            if event.type == TrackEvent.TYPE_SLICE_BEGIN:
                assert not open_slices[event.track_uuid], "slices overlap on a track"
                value = lambda one: texts[one.string_value_iid] if one.string_value_iid else one.uint_value
                arguments = {keys[one.name_iid]: value(one) for one in event.debug_annotations}
                open_slices[event.track_uuid].append((names[event.name_iid], packet.timestamp, arguments, list(event.flow_ids)))
            elif event.type == TrackEvent.TYPE_SLICE_END:
                name, start, arguments, flows = open_slices[event.track_uuid].pop()
                assert start == arguments["start_ps"] // 1000, "a start that is not the exact one rounded down"
                assert packet.timestamp == (arguments["start_ps"] + arguments["duration_ps"]) // 1000, "an end likewise"
                self.slices.append((self.path(event.track_uuid), name, arguments, flows))
        assert not any(open_slices.values()), "slices without an end"

    def path(self, uuid):
        path = []
        while uuid:
            path.insert(0, self.tracks[uuid].name)
            uuid = self.tracks[uuid].parent_uuid
        return tuple(path)


def check_data(trace, folders):
    """Each operation is joined with the one that brought in the data that it passes on the bus, plane by plane, by a flow of their own."""
    joined, passed = collections.defaultdict(list), collections.Counter()
    for track, name, arguments, flows in trace.slices:
        if "data" in arguments and arguments["stretch"] == 1:
            passed[track[0], arguments["op_uid"], arguments["plane"], arguments["data"]] += 1
        for flow in flows:
            joined[track[0], flow].append((arguments["op_uid"], arguments.get("plane"), arguments.get("data")))
    # The number of a flow of data has this bit.
    assert all(len(members) > 1 for (_, flow), members in joined.items() if flow >> 51 & 1), "a flow of data has one end"
    pairs = collections.Counter()
    for (site, _), members in joined.items():
        # The later of two operations on one plane names the earlier one.
        if len(members) == 2 and len({plane for _, plane, _ in members}) == 1:
            (source, plane, _), (uid, _, data) = sorted(members, key=lambda member: member[0])
            pairs[site, uid, plane, source] += source != uid and data == source
    expected = collections.Counter()
    for site, folder in folders.items():
        for row in rows(folder, "operation_sequence"):
            for target in json.loads(row["payload"]):
                if "data" in target:
                    expected[site, int(row["op_uid"]), target["plane"], target["data"]] += 1
    same("data in the Perfetto trace", passed, expected)
    others = collections.Counter({one: count for one, count in expected.items() if one[1] != one[3]})
    assert others, "no operation passes the data of another"
    # A chain of two operations joins them as well.
    same("flows of data", collections.Counter({one: 1 for one in pairs if pairs[one]}), others)


def check_perfetto(path, folders, with_data):
    trace = Trace(path)
    if with_data:
        check_data(trace, folders)
    operations, states, flows, held = collections.Counter(), collections.Counter(), {}, collections.defaultdict(list)
    for track, name, arguments, joined in trace.slices:
        start, length = arguments["start_ps"], arguments["duration_ps"]
        if track[1] == "IO bus":
            held[track[0]].append((start, start + length, name))
            continue
        if track[-1].endswith("op_state"):
            states[track[0], track[1].split()[1], track[2].split()[1], name, start, length] += 1
            continue
        operations[track[0], name, arguments["op_uid"], start, length, arguments["op_state"], arguments["phase_key_used"],
                   arguments.get("die", 0), arguments.get("plane", 0), arguments.get("block", 0), arguments.get("page", 0)] += 1
        for flow in joined:
            flows.setdefault((track[0], flow), []).append((start, arguments["op_uid"], arguments["stretch"]))
    expected = collections.Counter()
    stretches = collections.Counter()
    for site, folder in folders.items():
        for row in rows(folder, "operation_timeline"):
            expected[site, row["op_name"], int(row["op_uid"]), ps(row["start"]), ps(row["end"]) - ps(row["start"]), row["op_state"],
                     row["phase_key_used"], *(int(row[one]) for one in ("die", "plane", "block", "page"))] += 1
            stretches[site, int(row["op_uid"]), row["die"], row["plane"]] += 1
    same("operations in the Perfetto trace", operations, expected)
    expected = collections.Counter()
    for site, folder in folders.items():
        for row in rows(folder, "op_state_timeline"):
            expected[site, row["die"], row["plane"], row["op_state"], ps(row["start"]), ps(row["duration"])] += 1
    same("op_states in the Perfetto trace", states, expected)
    joined = {(site, max(uids)) for (site, _), members in flows.items() for uids in [{uid for _, uid, _ in members}]
              if len(uids) == 1 and len(members) > 1}
    suspended = {(site, uid) for (site, uid, _, _), count in stretches.items() if count > 1}
    assert joined == suspended, f"flows join {len(joined)} suspended operations instead of {len(suspended)}"
    chains = [members for members in flows.values() if len({uid for _, uid, _ in members}) > 1]
    print(f"flows: {len(joined)} suspended operations, {len(chains)} chains")
    for site, spans in held.items():
        spans.sort()
        for one, other in zip(spans, spans[1:]):
            assert one[1] <= other[0], f"{site}: the bus is held twice, by {one} and {other}"
    print(f"the bus: held {sum(map(len, held.values()))} times, never twice at once")


def check_vcd(path, folders):
    import vcdvcd

    dump = vcdvcd.VCDVCD(path)
    codes = {}
    with open(path) as file:
        for line in file:
            if line.startswith("$end"):
                break
            words = line.split()
            if len(words) == 2 and words[0].isdigit():
                codes[words[1]] = int(words[0])
    assert dump.timescale["magnitude"] == 1 and dump.timescale["unit"] == "ps", dump.timescale
    checked = 0
    for site, folder in folders.items():
        site = re.sub("[^A-Za-z0-9]", "_", site)  # what a name in a dump may hold
        planes = collections.defaultdict(list)
        for row in rows(folder, "op_state_timeline"):
            planes[row["die"], row["plane"]].append((ps(row["start"]), ps(row["end"]), row["op_state"]))
        busy = collections.defaultdict(list)
        for (die, plane), spans in planes.items():
            signal = dump[f"{site}.d{die}_p{plane}_state[9:0]" if f"{site}.d{die}_p{plane}_state[9:0]" in dump.signals
                          else f"{site}.d{die}_p{plane}_state"]
            spans.sort()
            for at, (start, end, state) in enumerate(spans):
                assert int(signal[start], 2) == codes[state], f"{site} d{die} p{plane} at {start}"
                assert int(signal[end - 1], 2) == codes[state], f"{site} d{die} p{plane} at {end - 1}"
                if at + 1 == len(spans) or spans[at + 1][0] > end:
                    assert int(signal[end], 2) == codes[state.rsplit(".", 1)[0] + ".END"], f"{site} d{die} p{plane} at {end}"
                if state.endswith(".CORE_BUSY"):
                    busy[die].append((start, end))
                checked += 1
            # Every change is the edge of a segment.
            edges = {edge for span in spans for edge in span[:2]} | {0}
            assert all(time in edges for time, _ in signal.tv), f"{site} d{die} p{plane} changes elsewhere"
        for die, spans in busy.items():
            signal = dump[f"{site}.d{die}_ready"]
            spans.sort()
            merged = []
            for start, end in spans:
                if merged and start <= merged[-1][1]:
                    merged[-1][1] = max(merged[-1][1], end)
                else:
                    merged.append([start, end])
            expected = [(time, value) for start, end in merged for time, value in ((start, "0"), (end, "1"))]
            found = [one for one in signal.tv if one != (0, "1")]
            assert found == expected, f"{site} d{die}: ready/busy differs"
    print(f"op_states in the VCD: {checked} agree, and ready/busy with them")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--perfetto")
    parser.add_argument("--flows", choices=["data"])
    parser.add_argument("--vcd")
    arguments = parser.parse_args()
    folders = sites(arguments.folder)
    if arguments.perfetto:
        check_perfetto(arguments.perfetto, folders, arguments.flows == "data")
    if arguments.vcd:
        check_vcd(arguments.vcd, folders)


main()
