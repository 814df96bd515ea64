# SPDX-License-Identifier: MIT
"""test_module_repr.py BRINE [TEXT…]: `brine show --modules` prints what print(model) prints in PyTorch 2.13.

Every module of module_repr_cases.py and module_kinds.py, and every model of torchvision where it is there, is saved whole, loaded, and its repr
compared. An older PyTorch is taught the three texts that 2.13 changed. TEXT: only cases that contain it.
"""
import os
import sys
import tempfile
import warnings
from collections import OrderedDict
from itertools import zip_longest

import numpy as np
import torch
from torch import nn

from common import Tally, command, in_parallel, run
from module_kinds import KINDS, SINCE, VERSION
from module_repr_cases import OPS, cases
from repr_2_13 import teach_2_13
from test_modules import module_in

try:
    import torchvision
except ImportError:
    torchvision = None


def shrink(model):
    """The same model, its tensors views of one element: the file is small."""
    for t in [*model.parameters(), *model.buffers()]: t.data = torch.zeros((), dtype=t.dtype).expand(t.shape)
    return model


TOO_LARGE = ('vit_h_14', 'vit_l_16', 'vit_l_32', 'regnet_y_128gf')


def model(name):
    about_start = ({'weights_backbone': None} if any(w in name for w in ('rcnn', 'ssd', 'retina', 'fcos', 'lraspp', 'deeplab', 'fcn')) else
                   {'init_weights': False} if name in ('inception_v3', 'googlenet') else {})
    return shrink(torchvision.models.get_model(name, weights=None, **about_start))


def quantised():
    net = nn.Sequential(nn.Linear(3, 2), nn.LSTM(2, 3), nn.GRUCell(2, 2))
    for p in net.parameters(): p.data.fill_(0.5)
    return torch.ao.quantization.quantize_dynamic(net, {nn.Linear, nn.LSTM, nn.GRUCell})


def quantised_statically():
    from torch.ao.quantization import convert, default_qconfig, fuse_modules, prepare
    net = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(32, 2, bias=False), nn.ELU(), nn.LayerNorm(2)).eval()
    net = fuse_modules(net, [['0', '1']])
    for p in net.parameters(): p.data.fill_(0.5)
    net.qconfig = default_qconfig
    net = prepare(net)
    net(torch.ones(1, 1, 4, 4))
    return convert(net)


def main():
    brine, tally = command(), Tally()
    warnings.simplefilter('ignore')
    teach_2_13()
    wanted, calls, too_new = sys.argv[2:] or [''], cases(), []

    def check(case):
        label, path, text = case
        r = run(brine, 'show', '--modules', path)
        os.remove(path)
        if r.status != 0: return label, r.error().strip()[:200]
        got, want = r.text().rstrip('\n').split('\n'), text.split('\n')
        return label, next((f'line {i + 1} is {g!r}, PyTorch has {w!r}' for i, (g, w) in enumerate(zip_longest(got, want)) if g != w), None)

    def everything():
        """(label, function that makes it)"""
        for call in calls:
            yield call, lambda: eval('nn.' + call)
        for name, make in KINDS.items():
            if VERSION >= SINCE.get(name, (0,)): yield name, make
        yield from (('quantised', quantised), ('quantised statically', quantised_statically))
        if not torchvision: return tally.skip('torchvision', 'not installed')
        for call in OPS: yield call, lambda: eval('torchvision.ops.' + call)
        for name in torchvision.models.list_models():
            if name not in TOO_LARGE: yield name, lambda: model(name)

    def saved(folder):
        for i, (label, make) in enumerate(everything()):
            if not any(w in label for w in wanted): continue
            path = os.path.join(folder, f'{i}.pth')
            try:
                made = make()
                torch.save(made, path)
                loaded = torch.load(path, **({} if VERSION < (2, 0) else {'weights_only': False}))
                # Of a quantised convolution PyTorch loads what has no repr.
                text = repr(made if label == 'quantised statically' else module_in(loaded))
            except Exception as e:
                if label in calls: too_new.append(label)
                else: tally.skip(label, f'cannot be made, saved and printed here: {str(e).splitlines()[0][:100]}')
                continue
            yield label, path, 'Hooked()' if label == 'hooked' else text      # a class of the user's: its extra_repr is code

    def no_start(tensor, *args, **kwargs): return tensor
    for name in dir(nn.init):                    # the values do not matter, and take long
        if name.endswith('_') and not name.startswith('_'): setattr(nn.init, name, no_start)
    with tempfile.TemporaryDirectory() as folder:
        for label, why in in_parallel(check, saved(folder)): tally.check(label, why)
    if too_new: tally.skip(f'{len(too_new)} modules', f'PyTorch {torch.__version__} makes no {", ".join(too_new)}')
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
