# SPDX-License-Identifier: MIT
"""test_engine.py BRINE: the engine of examples/engine gives PyTorch's output, from only_weights.pth and from whole_model.pth.

torchvision's networks with random weights; a random input; the largest difference is at most 1e-4 of the largest output. The program is
the one in the build that holds BRINE.
"""
import os
import re
import subprocess
import sys
import tempfile

import numpy as np
import torch

import vision
from common import Tally, command

TOLERANCE = 1e-4


def engine_difference(program, name, weights, picture, output, expected):
    """(what is wrong or None, a line of figures)"""
    p = subprocess.run([program, name, weights, picture, output], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
    if p.returncode != 0: return f'status {p.returncode}: {p.stderr.strip()[:300]}', ''
    scores = torch.load(output).numpy() if output.endswith('.pth') else np.fromfile(output, '<f4')
    if scores.shape != expected.shape: return f'{scores.shape} scores, expected {expected.shape}', ''
    off = float(np.abs(scores - expected).max() / np.abs(expected).max())
    return None if off <= TOLERANCE else f'off by {off:.2g}', f'largest relative error {off:.1e}; {", ".join(p.stdout.split(chr(10))[:2])}'


def main():
    brine, tally = command(), Tally()
    vision.need_torchvision()
    program = vision.example(brine, 'engine', 'engine')

    def check(label, name, weights, picture, output, expected, in_place=True):
        why, figures = engine_difference(program, name, weights, picture, output, expected)
        copied = re.search(r'(\d+) copied', figures)
        if not why and in_place != (copied[1] == '0'): why = f'bytes were {"" if in_place else "not "}copied: {figures}'
        tally.check(label, why)
        if figures: print(f'{label}: {figures}', flush=True)

    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)
        for name, side in (('vgg11_bn', 64), ('vgg16', 64), ('resnet18', 64), ('resnet50', 97)):
            model = vision.make(name, num_classes=100)
            picture = torch.randn(1, 3, side, side)
            with torch.no_grad(): expected = model(picture)[0].numpy()
            picture.numpy().tofile(at('input.raw'))
            torch.save(picture, at('input.pth'))
            only_weights, whole_model = vision.save(model, folder)
            check(f'{name}, only_weights.pth', name, only_weights, at('input.raw'), at('output.raw'), expected)
            check(f'{name}, whole_model.pth', name, whole_model, at('input.pth'), at('output.pth'), expected)
            if name != 'resnet18': continue

            # What a plain span cannot say is copied, and runs as well.
            torch.save(model.to(memory_format=torch.channels_last).state_dict(), at('strided.pth'))
            check('resnet18, channels last', name, at('strided.pth'), at('input.raw'), at('output.raw'), expected, in_place=False)
            with torch.no_grad(): half = model.half().float()(picture)[0].numpy()
            torch.save(model.half(), at('half.pth'))
            check('resnet18, float16', name, at('half.pth'), at('input.raw'), at('output.raw'), half, in_place=False)

            # What does not fit is said by name.
            with open(at('short.raw'), 'wb') as f: f.write(bytes(123))
            for label, args, text in (
                    ('resnet18 as vgg11_bn', ('vgg11_bn', only_weights, at('input.raw')), "the state dict has no 'features.0.weight'"),
                    ('resnet18 as resnet50', ('resnet50', only_weights, at('input.raw')), 'layer1.0.conv1.weight has the shape [64, 64, 3, 3]'),
                    ('no such network', ('alexnet', only_weights, at('input.raw')), 'there is no network alexnet'),
                    ('no such file', (name, at('none.pth'), at('input.raw')), 'none.pth'),
                    ('a folder as picture', (name, only_weights, folder), 'no square picture'),
                    ('a picture cut short', (name, only_weights, at('short.raw')), 'no square picture')):
                p = subprocess.run([program, *args, at('output.raw')],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                tally.check(label, None if p.returncode == 1 and text in p.stderr else f'status {p.returncode}: {p.stderr}')
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
