# SPDX-License-Identifier: MIT
"""Seeds for fuzz_checkpoint: zips, stored and deflated, of both byte orders; legacy streams; the golden files."""
import sys
import zipfile

import make_seeds
import shapes


def seeds():
    for name, obj, sizes in make_seeds.objects():
        yield f'{name}_zip', make_seeds.torch_zip(obj, sizes)
        yield f'{name}_deflated', make_seeds.torch_zip(obj, sizes, 4, zipfile.ZIP_DEFLATED)
        yield f'{name}_big', make_seeds.torch_zip(obj, sizes, order='big')
        yield f'{name}_legacy', make_seeds.legacy_stream(obj, sizes)
    for name, pickled in shapes.pickles():
        yield name, make_seeds.torch_zip_of(pickled, {'0': 24})
    for path in sorted(make_seeds.GOLDEN.glob('*.pth')):
        if path.stat().st_size < 32768:
            yield f'golden_{path.stem}', path.read_bytes()


make_seeds.write(sys.argv[1], seeds())
