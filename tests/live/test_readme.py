# SPDX-License-Identifier: MIT
"""test_readme.py BRINE: README's C++ programs are those of tests/snippets, and PyTorch takes what they write.

The text in README equals the marked lines of each source file; load_edit_save is run on golden files and read by torch.load; what engine_weights
writes is what torch.save writes for the same module, byte for byte, and loads with load_state_dict(strict=True).
"""
import os
import subprocess
import sys
import tempfile

from common import Tally, command

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
SNIPPETS = {'load-edit-save': 'load_edit_save', 'engine-weights': 'engine_weights'}


def program(brine, name):
    return os.path.join(os.path.dirname(brine), '..', 'tests', 'snippets', 'readme_' + name)


def stands_in_readme(mark, name):
    source = open(os.path.join(ROOT, 'tests', 'snippets', name + '.cpp'), encoding='utf-8').read()
    text = source.split(f'// [{mark}]\n')[1].split('// [end]')[0]
    return None if text in open(os.path.join(ROOT, 'README.md'), encoding='utf-8').read() else f'tests/snippets/{name}.cpp says otherwise'


def engine_weights(torch, brine, folder):
    ours, theirs = os.path.join(folder, 'ours', 'engine.pth'), os.path.join(folder, 'engine.pth')
    os.makedirs(os.path.dirname(ours))
    subprocess.run([program(brine, 'engine_weights'), ours], check=True)
    net = torch.nn.Sequential()
    net.add_module('fc', torch.nn.Linear(4, 3))
    net.load_state_dict(torch.load(ours), strict=True)
    if net.fc.weight.tolist() != torch.arange(12.).view(3, 4).tolist() or net.fc.bias.tolist() != [0.5, -0.5, 2]: return 'other values'
    torch.save(net.state_dict(), theirs)
    if tuple(int(p) for p in torch.__version__.split('.')[:2]) < (2, 7): return None  # other records
    return None if open(ours, 'rb').read() == open(theirs, 'rb').read() else 'not the bytes of torch.save'


def load_edit_save(torch, brine, folder):
    out = os.path.join(folder, 'slim.pth')
    source = os.path.join(ROOT, 'tests', 'golden', 'resnet.pth')
    subprocess.run([program(brine, 'load_edit_save'), source, out], check=True)
    want, got = torch.load(source), torch.load(out)
    del want['fc.bias']
    if list(want) != list(got): return 'other names'
    for name, t in want.items():
        if not torch.equal(t.half() if t.is_floating_point() else t, got[name]): return f'{name} differs'
    return None


def main():
    brine, tally = command(), Tally()
    for mark, name in SNIPPETS.items(): tally.check(f'README has {name}', stands_in_readme(mark, name))
    try:
        import torch
    except ImportError:
        tally.skip('programs of README', 'no PyTorch')
        return tally.close()
    with tempfile.TemporaryDirectory() as folder:
        for check in (engine_weights, load_edit_save): tally.check(check.__name__, check(torch, brine, folder))
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
