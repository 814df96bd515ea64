# SPDX-License-Identifier: MIT
"""What the tests of `brine convert` start from and compare: a network, its files, and what one conversion says and writes."""
import os
from collections import OrderedDict

import torch
from torch import nn

from common import run

OF_THIS_TORCH = ['--profile', 'torch-1.6'] if torch.__version__ < '2' else []


def need(condition, why):
    if not condition: raise AssertionError(why)


def load(file):
    return torch.load(file, **({} if torch.__version__ < '2' else {'weights_only': False}))


def network():
    torch.manual_seed(1)
    return nn.Sequential(OrderedDict(conv=nn.Conv2d(1, 2, 3), bn=nn.BatchNorm2d(2), fc=nn.Linear(4, 3)))


def same(got, want):
    """The same names in the same order, tensors of the same dtype, shape and bits, the same versions."""
    need(list(got) == list(want), f'keys {list(got)}, expected {list(want)}')
    for name, tensor in want.items():
        need(got[name].dtype == tensor.dtype and torch.equal(got[name], tensor), f'{name} is {got[name]}, expected {tensor}')
    versions = [{m: info.get('version') for m, info in getattr(sd, '_metadata', {}).items()} for sd in (got, want)]
    need(versions[0] == versions[1], f'versions {versions[0]}, expected {versions[1]}')


class Folder:
    """A state dict as in.pth; convert() makes out.pth of it, or of another file."""
    def __init__(self, brine, path):
        self.brine, self.path, self.weights = brine, path, network().state_dict()
        self.source, self.out = self.file('in.pth'), self.file('out.pth')
        torch.save(self.weights, self.source)

    def file(self, name):
        return os.path.join(self.path, name)

    def run(self, *options, source=None, out=None):
        return run(self.brine, 'convert', *options, '--', source or self.source, out or self.out)

    def convert(self, *options, notes=(), left='', source=None):
        """`left` is what standard error must name as left out, behind the notes."""
        if os.path.exists(self.out): os.unlink(self.out)
        r = self.run(*options, source=source)
        need(r.status == 0 and not r.out, f'{options}: status {r.status}: {r.error()}')
        told, expected = r.error().splitlines(), [*notes, *(['left out: ' + left] if left else [])]
        need(told == expected, f'{options}: {told}, expected {expected}')
        return load(self.out)

    def same_bytes(self, *options, source, edit, left='', notes=()):
        """convert writes what torch.save writes after `edit` of the loaded file."""
        what = load(self.file(source))
        what = edit(what) or what
        os.makedirs(self.file('torch'), exist_ok=True)
        torch.save(what, self.file('torch/out.pth'))
        self.convert(*OF_THIS_TORCH, *options, source=self.file(source), left=left, notes=notes)
        need(open(self.out, 'rb').read() == open(self.file('torch/out.pth'), 'rb').read(), f'{options}: not the bytes of torch.save')


def trained(f):
    """A checkpoint as a training loop saves it."""
    net = network()
    optimizer = torch.optim.Adam(net.parameters())
    for p in net.parameters(): p.grad = torch.ones_like(p)
    optimizer.step()
    torch.save({'epoch': 3, 'model': net.state_dict(), 'optimizer': optimizer.state_dict(), 'args': {'lr': 0.1}, 'names': ['a', 'b']}, f.file('all.pth'))
    return load(f.file('all.pth'))
