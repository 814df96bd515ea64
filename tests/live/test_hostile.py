# SPDX-License-Identifier: MIT
"""test_hostile.py BRINE: hand-made bad files of the folder `shared` (common.shared_folder) against the verdicts beside them.

EXPECTED.tsv has a line a file: stage, verdict, kind of error. A file of the stage `pickle` is the whole data.pkl of a zip and is put into
one; one of the stage `tensor` is a whole file. accept: `ls --all --json` lists it and `show` shows it, status 0. refuse: status 1 and one
line from both, of the kind that the table has. Files of the stage `archive` that the table accepts hold no checkpoint, so either answer
will do. Each run within a second and 64 MiB.
"""
import csv
import os
import sys
import tempfile

from common import MIB, SECONDS, Tally, command, in_parallel, measured, shared_folder
from torch_zip import checkpoint


def verdict(row, r):
    """None when one run answered as the table wants, else what is wrong."""
    if r.status is None or r.seconds > SECONDS: return f'{r.seconds:.2f} s'
    if r.mib > MIB: return f'{r.mib:.0f} MiB'
    if row['verdict'] == 'accept' and row['stage'] != 'archive':
        return None if r.status == 0 else f'status {r.status}, it is to be accepted: {r.error().strip()[:200]}'
    if row['verdict'] == 'accept' and r.status == 0: return None
    why = r.refused()
    if why or row['verdict'] == 'accept': return why
    return None if r.kind() in row['kind'].split('|') else f'kind {r.kind()}, expected {row["kind"]}: {r.error().strip()[:200]}'


def main():
    brine, tally = command(), Tally()
    shared = shared_folder()
    if shared is None or not os.path.isfile(os.path.join(shared, 'hostile', 'EXPECTED.tsv')):
        tally.skip('every hostile file', 'the folder shared is not here')
        return tally.close()
    hostile = os.path.join(shared, 'hostile')
    with open(os.path.join(hostile, 'EXPECTED.tsv'), encoding='utf-8', newline='') as f:
        rows = list(csv.DictReader(f, delimiter='\t', quoting=csv.QUOTE_NONE))
    with tempfile.TemporaryDirectory() as folder:
        def examine(row):
            path = os.path.join(hostile, row['file'])
            if row['stage'] == 'pickle':
                with open(path, 'rb') as f: data = checkpoint(f.read())
                path = os.path.join(folder, os.path.basename(path) + '.pth')
                with open(path, 'wb') as f: f.write(data)
            return row, [(verb, measured(brine, *verb.split(), path, folder=folder)) for verb in ('ls --all --json', 'show')]

        for row, runs in in_parallel(examine, rows):
            for verb, r in runs: tally.check(f'{verb} {row["file"]}', verdict(row, r))
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
