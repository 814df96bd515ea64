# SPDX-License-Identifier: MIT
"""torchvision's models with random weights, saved in the tutorial's two ways; the programs of the examples, found beside the command."""
import os
import sys
import time

import torch

try:
    import torchvision
except ImportError:
    torchvision = None


def need_torchvision():
    """Ends the test as skipped where there is none (Debian has it beside its PyTorch)."""
    if torchvision is None:
        print('torchvision is not installed for this Python')
        sys.exit(77)


def example(brine, folder, name):
    """The program of examples/FOLDER in the build that holds `brine`; ends the test as skipped where it was not built."""
    path = os.path.normpath(os.path.join(os.path.dirname(brine), '..', 'examples', folder, name))
    if not os.access(path, os.X_OK):
        print(f'{name} is not built (-Dexamples=enabled)')
        sys.exit(77)
    return path


def make(name, **kwargs):
    """A model in eval mode; batch norm has statistics as after training, not zeros and ones."""
    torch.manual_seed(6)
    model = getattr(torchvision.models, name)(weights=None, **kwargs)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.1)
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
            module.num_batches_tracked.fill_(1000)
    return model.eval()


def save(model, folder):
    """The paths of only_weights.pth and whole_model.pth."""
    paths = os.path.join(folder, 'only_weights.pth'), os.path.join(folder, 'whole_model.pth')
    torch.save(model.state_dict(), paths[0])
    torch.save(model, paths[1])
    return paths


def best_of(times, function):
    """The smallest of several durations, in seconds, and the last result."""
    best, result = float('inf'), None
    for _ in range(times):
        result = None
        start = time.monotonic()
        result = function()
        best = min(best, time.monotonic() - start)
    return best, result
