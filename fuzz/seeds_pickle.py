# SPDX-License-Identifier: MIT
"""Seeds for fuzz_pickle: pickles of every protocol, and the golden files' own."""
import sys
import zipfile

import make_seeds
import shapes


def seeds():
    for name, obj, _ in make_seeds.objects():
        for protocol in range(6):
            if protocol == 0 and name != 'plain':
                continue  # its persistent ids are text
            yield f'{name}_{protocol}', make_seeds.dump(obj, protocol)
            yield f'{name}_{protocol}_legacy', make_seeds.dump(obj, protocol, legacy=True)
    yield from shapes.pickles()
    for path in sorted(make_seeds.GOLDEN.glob('*.pth')):
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                record = next(n for n in archive.namelist() if n.endswith('/data.pkl'))
                if archive.getinfo(record).file_size < 16384:
                    yield f'golden_{path.stem}', archive.read(record)


make_seeds.write(sys.argv[1], seeds())
