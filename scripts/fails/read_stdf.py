"""Prints the answers of an STDF file as pystdf reads it, as lines `site,part,run,op_uid`: read_stdf.py FILE

`pass` stands for an operation of a run that passed, `?` for one that is not known.
"""

import sys

from pystdf.IO import Parser


class Answers:
    """Hears of the records of a file."""

    def __init__(self):
        self.parts = {}

    def after_send(self, _source, data):
        record, values = data
        fields = dict(zip(record.fieldNames, values))
        kind = type(record).__name__
        if kind == "Pir":
            self.parts[fields["SITE_NUM"]] = self.parts.get(fields["SITE_NUM"], 0) + 1
        if kind != "Ftr" or fields["TEST_FLG"] & 0x50:
            return
        site, options = fields["SITE_NUM"], fields["OPT_FLAG"]
        uid = "pass"
        if fields["TEST_FLG"] & 0x80:
            uid = "?" if options & 3 == 3 else fields["CYCL_CNT"] if options & 2 else fields["REL_VADR"]
        print(f"{site},{self.parts[site]},{fields['TEST_NUM']},{uid}")

    def __getattr__(self, _name):
        return lambda *_: None


with open(sys.argv[1], "rb") as file:
    parser = Parser(inp=file)
    parser.addSink(Answers())
    parser.parse()
