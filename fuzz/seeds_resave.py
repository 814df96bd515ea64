# SPDX-License-Identifier: MIT
"""Seeds for fuzz_resave: seeds_resave.py FOLDER. Files as for fuzz_checkpoint, behind the byte that chooses profile and protocol."""
import sys
import zipfile

import make_seeds
import shapes


def seeds():
    for name, obj, sizes in make_seeds.objects():
        for protocol in (1, 2, 4):
            yield f'{name}_zip_{protocol}', make_seeds.torch_zip(obj, sizes, protocol)
        yield f'{name}_deflated', make_seeds.torch_zip(obj, sizes, 4, zipfile.ZIP_DEFLATED)
        yield f'{name}_big', make_seeds.torch_zip(obj, sizes, order='big')
        yield f'{name}_legacy', make_seeds.legacy_stream(obj, sizes)
    for name, pickled in shapes.pickles():
        yield name, make_seeds.torch_zip_of(pickled, {'0': 24})
    for path in sorted(make_seeds.GOLDEN.glob('*.pth')):
        if path.stat().st_size < 32768:
            yield f'golden_{path.stem}', path.read_bytes()


make_seeds.write(sys.argv[1], ((name, bytes([7 * n % 15]) + data) for n, (name, data) in enumerate(seeds())))
