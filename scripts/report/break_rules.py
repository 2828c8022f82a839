#!/usr/bin/env python3
"""Copies the sequences of a site and moves some operations to the time of the one before, so that a judge finds something.

    break_rules.py SITE_FOLDER NEW_FOLDER
"""

import csv
import glob
import os
import sys

site, target = sys.argv[1:]
folder = os.path.join(target, os.path.basename(site))
os.makedirs(folder)
for path in sorted(glob.glob(f"{site}/operation_sequence_*.csv")):
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    for at in range(200, len(rows), 400):
        rows[at][1] = rows[at - 1][1]
    with open(os.path.join(folder, os.path.basename(path)), "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
