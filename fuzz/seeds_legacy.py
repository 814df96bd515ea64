# SPDX-License-Identifier: MIT
"""Seeds for fuzz_legacy: legacy streams without the 21 bytes of magic number and version that the target puts in front."""
import sys

import make_seeds


def seeds():
    for name, obj, sizes in make_seeds.objects():
        yield name, make_seeds.legacy_stream(obj, sizes)[21:]
    view = make_seeds.v2(make_seeds.Storage('FloatStorage', 'root', 6, ('part', 2, 4)), 0, (4,))
    yield 'views', make_seeds.legacy_stream({'view': view}, {'root': 24})[21:]
    weights, sizes = make_seeds.tensors()
    yield 'two', make_seeds.legacy_stream(weights, sizes)[21:] + make_seeds.legacy_stream(weights, sizes)
    for path in sorted(make_seeds.GOLDEN.glob('*.pth')):
        data = path.read_bytes()
        if not data.startswith(b'PK') and len(data) < 32768:
            yield f'golden_{path.stem}', data[21:]


make_seeds.write(sys.argv[1], seeds())
