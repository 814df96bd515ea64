# SPDX-License-Identifier: MIT
"""Seeds for fuzz_write: seeds_write.py FOLDER. Strings of choices (tests/support/value_choices.hpp), pseudo-random and of every length."""
import pathlib
import random
import sys

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for n in range(200):
    choices = random.Random(n)
    (folder / f'{n:03}').write_bytes(bytes(choices.randrange(256) for _ in range(16 + 6 * n)))
print('200 seeds')
