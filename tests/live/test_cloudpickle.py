#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_cloudpickle.py BRINE: what torch.save writes with cloudpickle, brine saves again byte for byte.

cloudpickle pickles functions and classes of __main__ by value: code objects, cells, and calls that are made for their effect only.
"""
import dataclasses
import enum
import filecmp
import os
import sys
import tempfile

import torch
from torch import nn

from common import Tally, command, run

try:
    import cloudpickle
except ImportError:
    print('cloudpickle is not installed')
    sys.exit(77)


def values():
    k = torch.ones(2)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.more = nn.Linear(2, 2), lambda x: self.linear(x) + k

        def forward(self, x): return self.more(x)

    class Colour(enum.Enum):
        RED, BLUE = 1, 2

    @dataclasses.dataclass
    class Config:
        layers: int
        weight: torch.Tensor

    def factorial(n): return 1 if n == 0 else n * factorial(n - 1)
    def adder(y): return lambda x: x + y
    return {'a module': Model(), 'its state': Model().state_dict(), 'a recursive function': {'f': factorial, 'w': torch.ones(3)},
            'an enum': [Colour.RED, Colour, Colour.BLUE, k], 'a dataclass': [Config(1, k), Config],
            'closures': [adder(2), adder(k), torch.zeros(2)]}


def main():
    brine, tally = command(), Tally()
    with tempfile.TemporaryDirectory() as folder:
        theirs, ours = os.path.join(folder, 'model.pth'), os.path.join(folder, 'ours', 'model.pth')
        os.mkdir(os.path.dirname(ours))
        for name, value in values().items():
            for protocol in (2, 3, 4, 5):
                torch.save(value, theirs, pickle_module=cloudpickle, pickle_protocol=protocol)
                r = run(brine, 'convert', '--as-read', '--force', theirs, ours)
                why = r.error().strip() if r.status != 0 else None if filecmp.cmp(theirs, ours, shallow=False) else 'other bytes'
                if why is None: torch.load(ours, **({'weights_only': False} if torch.__version__ >= '2' else {}))
                tally.check(f'{name}, protocol {protocol}', why)
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
