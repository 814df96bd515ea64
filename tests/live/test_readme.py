# SPDX-License-Identifier: MIT
"""test_readme.py BRINE: PyTorch takes what README's C++ functions write.

They are compiled as they stand there (tests/snippets). slim is run on a golden file and read by torch.load; what save_linear writes is what
torch.save writes for the same module, byte for byte, and loads with load_state_dict(strict=True);
what next_epoch writes is what PyTorch saves after the same edit.
"""
import os
import subprocess
import sys
import tempfile

from common import GOLDEN, Tally, built, command


def save_linear(torch, brine, folder):
    ours, theirs = os.path.join(folder, 'ours', 'engine.pth'), os.path.join(folder, 'engine.pth')
    os.makedirs(os.path.dirname(ours))
    subprocess.run([built(brine, 'snippets/examples'), 'save_linear', ours], check=True)
    net = torch.nn.Sequential()
    net.add_module('fc', torch.nn.Linear(4, 3))
    net.load_state_dict(torch.load(ours), strict=True)
    if net.fc.weight.tolist() != torch.arange(12.).view(3, 4).tolist() or net.fc.bias.tolist() != [0.5, -0.5, 2]: return 'other values'
    torch.save(net.state_dict(), theirs)
    if tuple(int(p) for p in torch.__version__.split('.')[:2]) < (2, 7): return None  # other records
    return None if open(ours, 'rb').read() == open(theirs, 'rb').read() else 'not the bytes of torch.save'


def slim(torch, brine, folder):
    out = os.path.join(folder, 'slim.pth')
    source = os.path.join(GOLDEN, 'resnet.pth')
    subprocess.run([built(brine, 'snippets/examples'), 'slim', source, out], check=True)
    want, got = torch.load(source), torch.load(out)
    del want['fc.bias']
    if list(want) != list(got): return 'other names'
    for name, t in want.items():
        if not torch.equal(t.half() if t.is_floating_point() else t, got[name]): return f'{name} differs'
    return None


def next_epoch(torch, brine, folder):
    ours, theirs, source = (os.path.join(folder, name) for name in ('edited.pth', 'theirs/edited.pth', 'training.pth'))
    os.makedirs(os.path.dirname(theirs))
    net = torch.nn.Linear(3, 2)
    torch.save({'epoch': 3, 'model': net.state_dict(), 'optimizer': torch.optim.SGD(net.parameters(), 0.1, momentum=0.9).state_dict()}, source)
    subprocess.run([built(brine, 'snippets/examples'), 'next_epoch', source, ours], check=True)
    want = torch.load(source)
    want['epoch'] = 4
    torch.save(want, theirs)
    if torch.load(ours)['epoch'] != 4: return 'another epoch'
    if tuple(int(p) for p in torch.__version__.split('.')[:2]) < (2, 7): return None  # other records
    return None if open(ours, 'rb').read() == open(theirs, 'rb').read() else 'not the bytes of torch.save'


def main():
    brine, tally = command(), Tally()
    try:
        import torch
    except ImportError:
        tally.skip('programs of README', 'no PyTorch')
        return tally.close()
    with tempfile.TemporaryDirectory() as folder:
        for check in (next_epoch, save_linear, slim): tally.check(check.__name__, check(torch, brine, folder))
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
