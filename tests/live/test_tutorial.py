# SPDX-License-Identifier: MIT
"""test_tutorial.py BRINE: the tutorial's story with torchvision's vgg16 and resnet50, judged by PyTorch.

A model saved whole and its weights saved alone give the same state dict, and are the same file when saved as weights. Into a model whose
layers were renamed, added, removed or changed in shape they load, or not, with PyTorch's words. A file of weights taken for a model is
told. How long opening vgg16's whole_model.pth (553 MB) takes is printed beside torch.load's time, and held to no bound here: the machine
may be busy.
"""
import filecmp
import os
import sys
import tempfile
import warnings

import torch

import oracle
import vision
from common import Tally, command, difference, run
from repr_2_13 import teach_2_13

VERSION = tuple(int(part) for part in torch.__version__.split('.')[:2])
PROFILE = 'torch-2.7' if VERSION >= (2, 7) else 'torch-2.1' if VERSION >= (2, 1) else 'torch-1.6'


def listing(brine, path):
    r = run(brine, 'ls', '--json', '--crc', path)
    return (r.json()['tensors'], None) if r.status == 0 else (None, r.error().strip())


def same_state_dict(brine, tally, name, model, paths):
    numbers = {}
    want = [oracle.describe(key, tensor, numbers, {}) for key, tensor in model.state_dict().items()]
    for path in paths:
        got, why = listing(brine, path)
        tally.check(f'{name}: {os.path.basename(path)} lists as model.state_dict()', why or difference(want, got))


def same_bytes(brine, tally, name, only_weights, whole_model):
    """Converting keeps the file's name, because the archive's top folder is its stem."""
    folder = os.path.join(os.path.dirname(only_weights), 'converted')
    os.makedirs(folder, exist_ok=True)
    target = os.path.join(folder, os.path.basename(only_weights))
    for source in (whole_model, only_weights):
        r = run(brine, 'convert', '--state-dict', '--profile', PROFILE, '--force', source, target)
        why = r.error().strip() if r.status else None if filecmp.cmp(only_weights, target, shallow=False) else 'the bytes differ'
        tally.check(f'{name}: {os.path.basename(source)} saved as weights is the file torch.save writes', why)
    os.remove(target)


def loads_back(brine, tally, name, model, whole_model):
    """What brine saves, PyTorch puts into the model."""
    target = os.path.join(os.path.dirname(whole_model), 'from_brine.pth')
    r = run(brine, 'convert', '--state-dict', '--force', whole_model, target)
    state = torch.load(target) if r.status == 0 else {}
    try:
        result = r.error().strip() if r.status else str(model.load_state_dict(state))
        why = None if result == '<All keys matched successfully>' else result
    except RuntimeError as e:
        why = str(e)
    if not why and not all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), state.values())): why = 'values differ'
    tally.check(f'{name}: load_state_dict of what brine saved', why)
    if os.path.exists(target): os.remove(target)


def renamed(model): model.head = model.fc; del model.fc
def added(model): model.layer4.extra = torch.nn.Linear(8, 8)
def removed(model): del model.layer4
def reshaped(model): model.fc = torch.nn.Linear(model.fc.in_features, 7)
def reclassified(model): model.classifier[6] = torch.nn.Linear(4096, 7)


def other_layers(brine, tally, name, change, model, weights_file):
    """`brine match` of a changed model says what load_state_dict says, strict and not. Changes `model`."""
    change(model)
    path = os.path.join(os.path.dirname(weights_file), 'changed.pth')
    torch.save(model, path)
    weights, mine = torch.load(weights_file), model.state_dict()
    fit = sum(key in weights and weights[key].shape == tensor.shape for key, tensor in mine.items())
    for strict in (True, False):
        try:
            loads, text = True, str(model.load_state_dict(weights, strict=strict))
        except RuntimeError as e:
            loads, text = False, str(e)
        r = run(brine, 'match', path, weights_file, *([] if strict else ['--no-strict']))
        got = r.text()
        why = r.error().strip() or None
        if r.status != (0 if loads else 1): why = f'status {r.status}'
        elif not got.startswith(text.replace('\t', '    ') + '\n'): why = f'the text is\n{got}and PyTorch says\n{text}'
        elif not got.splitlines()[-1].startswith(f'{fit} of {len(mine)} entries '): why = f'{got.splitlines()[-1]}; {fit} have the shape'
        tally.check(f'{name}, {change.__name__}, strict={strict}', why)
    os.remove(path)


def looks_as_model(brine, tally, name, model, only_weights, whole_model):
    r = run(brine, 'show', '--modules', whole_model)
    tally.check(f'{name}: shown as print(model) of PyTorch 2.13 shows it', r.error().strip() or (None if r.text() == f'{model}\n' else r.text()[:500]))
    r = run(brine, 'show', '--modules', only_weights)
    tally.check(f'{name}: weights taken for a model', r.refused() or (None if 'weights only, not a model' in r.error() else r.error()))


def timing(brine, whole_model):
    """One line: opening the file here and by torch.load."""
    program = os.path.normpath(os.path.join(os.path.dirname(brine), '..', 'tests', 'bench', 'open_bench'))
    if not os.access(program, os.X_OK): return 'open_bench is not built'
    load = lambda: torch.load(whole_model) if VERSION < (2, 6) else torch.load(whole_model, weights_only=False)
    theirs = vision.best_of(3, load)[0] * 1e3
    figure = lambda: float(next(l for l in run(program, 'open', whole_model).text().splitlines() if l.startswith('total ')).split()[1])
    ours = min(figure() for _ in range(5))
    command = vision.best_of(5, lambda: run(brine, 'ls', whole_model))[0] * 1e3
    size = os.path.getsize(whole_model) / 1e6
    return (f'{size:.0f} MB: torch.load {theirs:.0f} ms; brine::load, state_dict and a list of all tensors {ours:.3f} ms '
            f'({theirs / ours:.0f} times faster); brine ls {command:.1f} ms, with starting it')


def main():
    brine, tally = command(), Tally()
    vision.need_torchvision()
    warnings.simplefilter('ignore')
    teach_2_13()
    for name in ('resnet50', 'vgg16'):
        model = vision.make(name)
        with tempfile.TemporaryDirectory() as folder:
            only_weights, whole_model = vision.save(model, folder)
            same_state_dict(brine, tally, name, model, (only_weights, whole_model))
            same_bytes(brine, tally, name, only_weights, whole_model)
            loads_back(brine, tally, name, model, whole_model)
            looks_as_model(brine, tally, name, model, only_weights, whole_model)
            for change in (renamed, added, removed, reshaped) if name == 'resnet50' else (reclassified,):
                other_layers(brine, tally, name, change, vision.make(name), only_weights)
            if name == 'vgg16': print(f'{name}, whole_model.pth, {timing(brine, whole_model)}', flush=True)
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
