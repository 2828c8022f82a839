"""Writes STDF files by Semi-ATE-STDF: write_stdf.py FOLDER

little.stdf and big.stdf say the same in both byte orders, short.stdf leaves out what may be left out of a test that passed, little.stdf.gz is
packed. `expected` has the answers, a line `site,part,run,op_uid` each; `pass` stands for an operation of a run that passed, `?` for one that is not known.
"""

import gzip
import pathlib
import sys

from Semi_ATE.STDF import DTR, FAR, FTR, HBR, MIR, MRR, PIR, PRR, PTR, SDR

FAILED, NOT_EXECUTED, NO_INDICATION = 0x80, 0x10, 0x40
ONLY_ADDRESS, ONLY_CYCLE, NOTHING = 0xFD, 0xFE, 0xFF


def record(kind, order, **fields):
    """The bytes of a record."""
    made = kind("V4", order)
    for name, value in fields.items():
        made.set_value(name, value)
    return made.__repr__()


def test(order, site, run, flags, is_short=False, **fields):
    """A functional test. Of a short one, what may be left out is."""
    counts = {} if is_short else {"RTN_ICNT": 0, "PGM_ICNT": 0}
    if not is_short:
        fields = {"OPT_FLAG": NOTHING, **fields}
    return record(FTR, order, TEST_NUM=run, HEAD_NUM=1, SITE_NUM=site, TEST_FLG=flags, **fields, **counts)


def stdf(order, is_short):
    """A file, and its answers."""
    answers = []
    parts = [
        record(FAR, order, CPU_TYPE=2 if order == "<" else 1, STDF_VER=4),
        record(MIR, order, SETUP_T=1, START_T=2, STAT_NUM=1, LOT_ID="lot", PART_TYP="nand", NODE_NAM="node", TSTR_TYP="tester", JOB_NAM="job"),
        record(SDR, order, HEAD_NUM=1, SITE_GRP=1, SITE_CNT=3, SITE_NUM=[1, 2, 255]),
    ]
    for part in (1, 2):
        sites = (1, 2, 255)
        parts += [record(PIR, order, HEAD_NUM=1, SITE_NUM=site) for site in sites]
        parts.append(record(PTR, order, TEST_NUM=1, HEAD_NUM=1, SITE_NUM=2, TEST_FLG=FAILED, PARM_FLG=0, RESULT=1.5, TEST_TXT="IDD"))
        for run in range(1, 40):
            for site in sites:
                kind = (run + site + part) % 6
                uid = 4294967295 if run == 39 else site * 1000 + run
                if kind < 2:
                    parts.append(test(order, site, run, 0, is_short))
                    answers.append((site, part, run, "pass"))
                elif kind == 2:
                    for at in (uid - 1, uid):
                        parts.append(test(order, site, run, FAILED, OPT_FLAG=ONLY_ADDRESS, REL_VADR=at, RSLT_TXT="exp 55 got 54"))
                        answers.append((site, part, run, at))
                elif kind == 3:
                    parts.append(test(order, site, run, FAILED, OPT_FLAG=ONLY_CYCLE, CYCL_CNT=uid, REL_VADR=7))
                    answers.append((site, part, run, uid))
                elif kind == 4:
                    parts.append(test(order, site, run, FAILED, is_short))
                    answers.append((site, part, run, "?"))
                else:
                    parts.append(test(order, site, run, NOT_EXECUTED))
                    parts.append(test(order, site, run, NO_INDICATION))
            parts.append(record(DTR, order, TEXT_DAT=f"run {run}"))
        parts += [record(PRR, order, HEAD_NUM=1, SITE_NUM=site, PART_FLG=8, NUM_TEST=9, HARD_BIN=2, PART_ID=str(part)) for site in sites]
    parts.append(record(HBR, order, HEAD_NUM=255, SITE_NUM=255, HBIN_NUM=2, HBIN_CNT=6, HBIN_PF="F"))
    parts.append(record(MRR, order, FINISH_T=3))
    return b"".join(parts), answers


def main():
    folder = pathlib.Path(sys.argv[1])
    for name, order, is_short in (("big.stdf", ">", False), ("short.stdf", "<", True), ("little.stdf", "<", False)):
        whole, answers = stdf(order, is_short)
        (folder / name).write_bytes(whole)
    (folder / "little.stdf.gz").write_bytes(gzip.compress(whole))
    lines = "".join("{},{},{},{}\n".format(*answer) for answer in answers)
    (folder / "expected").write_text(lines, encoding="utf-8")


main()
