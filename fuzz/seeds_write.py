# SPDX-License-Identifier: MIT
"""Seeds for fuzz_write: seeds_write.py FOLDER. Strings of choices (tests/support/value_choices.hpp), pseudo-random and of every length; and
pickles behind two bytes."""
import pathlib
import random
import sys

import make_seeds
import shapes

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for n in range(200):
    choices = random.Random(n)
    (folder / f'{n:03}').write_bytes(bytes(choices.randrange(256) for _ in range(16 + 6 * n)))
pickles = [*shapes.pickles(), *((name, make_seeds.dump(obj)) for name, obj, _ in make_seeds.objects())]
for n, (name, pickled) in enumerate(pickles):
    (folder / name).write_bytes(bytes([0xFF, n % 256]) + pickled)
print(f'{200 + len(pickles)} seeds')
