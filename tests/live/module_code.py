# SPDX-License-Identifier: MIT
"""Modules whose state dict is made by code of their class, which is not in the file."""
import torch
from torch import nn


class InATuple(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, 2)

    def __getstate__(self): return self.__dict__.copy(), 7
    def __setstate__(self, state): self.__dict__.update(state[0])


class Reduced(nn.Linear):
    def __reduce__(self): return remade, (self.state_dict(),)


def remade(state):
    net = Reduced(2, 2)
    net.load_state_dict(state)
    return net


class Extra(nn.Linear):
    def get_extra_state(self): return {'calls': 7}
    def set_extra_state(self, state): pass


def hook(module, state, prefix, local_metadata): state[prefix + 'added'] = torch.ones(1)


def with_hook():
    net = nn.Sequential(nn.Linear(2, 2))
    net[0]._register_state_dict_hook(hook)
    return net


REFUSED = {'tuple': lambda: nn.Sequential(InATuple()), 'reduced': lambda: nn.Sequential(Reduced(2, 2))}
