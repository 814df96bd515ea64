# SPDX-License-Identifier: MIT
"""test_truncation.py BRINE: five small golden files, cut at every length from 0 to one byte less than whole: each must be refused.

Refused means: status 1, one line, no signal, within a second. Needs no PyTorch.
"""
import os
import shutil
import sys
import tempfile

from common import GOLDEN, SECONDS, Tally, command, in_parallel, run

FILES = ['tiny_torch1.13.pth', 'legacy.pth', 'protocol4.pth', 'whole_model.pth', 'checkpoint_adam.pth']
STEP = 64    # lengths that one worker does in a row on its own copy


def main():
    brine, tally = command(), Tally()
    with tempfile.TemporaryDirectory() as folder:
        for name in FILES:
            whole = os.path.join(GOLDEN, name)
            size = os.path.getsize(whole)
            if run(brine, 'ls', '--all', '--json', whole).status != 0:
                tally.fail(name, 'the whole file is not listed, so its pieces prove nothing')
                continue

            def cut(start):
                path = os.path.join(folder, f'{start}-{name}')
                shutil.copyfile(whole, path)
                found = []
                for length in range(min(start + STEP, size) - 1, start - 1, -1):     # downwards: one copy, cut shorter and shorter
                    os.truncate(path, length)
                    r = run(brine, 'ls', '--all', '--json', path, timeout=20)
                    why = r.refused() or (f'{r.seconds:.2f} s' if r.seconds > SECONDS else None)
                    found.append((length, why))
                os.remove(path)
                return found

            for found in in_parallel(cut, range(0, size, STEP)):
                for length, why in found: tally.check(f'{name} cut to {length} of {size} bytes', why)
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
