# SPDX-License-Identifier: MIT
"""Teaches an older PyTorch, 1.13 at least, the texts of print(model) that 2.13 has changed."""
import torch
from torch import nn


def teach(cls, change):
    """extra_repr() as change(self, text) makes it of the old text."""
    old = cls.extra_repr
    cls.extra_repr = lambda self: change(self, old(self))


def with_bias(self, text):
    bias = f'bias={self.bias is not None}'
    return text.replace(', track', f', {bias}, track') if ', track' in text else f'{text}, {bias}'


def mode_in_quotes(self, text): return text.replace(f'mode={self.mode}', f'mode={self.mode!r}')


def fold(self):
    """ModuleList.__repr__ since 2.0: equal neighbours once."""
    blocks = []
    for i, text in enumerate(repr(m) for m in self):
        if blocks and blocks[-1][2] == text: blocks[-1][1] = i
        else: blocks.append([i, i, text])
    lines = [f'({a}): {t}' if a == b else f'({a}-{b}): {b - a + 1} x {t}' for a, b, t in blocks]
    return self._get_name() + '(' + ''.join('\n  ' + line.replace('\n', '\n  ') for line in lines) + ('\n)' if lines else ')')


def teach_2_13():
    if tuple(int(part) for part in torch.__version__.split('.')[:2]) >= (2, 13): return
    nn.ModuleList.__repr__ = fold
    for cls in (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm): teach(cls, with_bias)
    for cls in (nn.Upsample, nn.EmbeddingBag): teach(cls, mode_in_quotes)
