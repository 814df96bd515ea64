# SPDX-License-Identifier: MIT
"""test_golden.py BRINE: the files of tests/golden/ against the listings PyTorch gave when they were made. Needs no PyTorch."""
import json
import os
import sys

from common import GOLDEN, Tally, command, listing_difference


def main():
    brine, tally = command(), Tally()
    names = sorted(n for n in os.listdir(GOLDEN) if n.endswith('.pth'))
    if not names: tally.fail('tests/golden', 'no files')
    for name in names:
        path = os.path.join(GOLDEN, name)
        with open(path[:-4] + '.expect.json', encoding='ascii') as f: want = json.load(f)
        tally.check(name, listing_difference(brine, path, want))
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
