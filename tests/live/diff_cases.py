# SPDX-License-Identifier: MIT
"""Pairs of objects that differ in one thing that is easily overlooked, and pairs that do not: cases() for test_diff.py.

Each case is (what, A, B, what must be said): nothing where the two are equal. `Files` stands for bytes that are no one object.
"""
import io
import zipfile

import numpy as np
import torch
from torch import nn


class Files:
    """What a file holds beside its object: objects one behind the other as legacy streams, and bytes."""
    def __init__(self, *objects, after=b'', cut=0): self.objects, self.after, self.cut = objects, after, cut

    def data(self):
        out = b''
        for o in self.objects:
            stream = io.BytesIO()
            torch.save(o, stream, _use_new_zipfile_serialization=False)
            out += stream.getvalue()
        return out[:len(out) - self.cut] + self.after


class Zipped:
    """A zip with a comment, and with records that PyTorch does not write."""
    def __init__(self, value, comment=b'', **records): self.value, self.comment, self.records = value, comment, records

    def data(self):
        stream, out = io.BytesIO(), io.BytesIO()
        torch.save(self.value, stream)
        with zipfile.ZipFile(stream) as made, zipfile.ZipFile(out, 'w') as z:
            for name in made.namelist(): z.writestr(name, made.read(name))
            for name, text in self.records.items(): z.writestr('archive/' + name, text)
            z.comment = self.comment
        return out.getvalue()


def with_attributes(make=lambda: nn.Parameter(torch.ones(2)), **attributes):
    p = make()
    for name, value in attributes.items(): setattr(p, name, value)
    return p


class Wrapped(torch.Tensor): pass


def places():
    """The weights stand elsewhere, or more often."""
    sd, lin = {'w': torch.ones(2)}, nn.Linear(2, 2)
    twice = {'model': sd, 'again': sd}
    told = '  dict (1): the weights, which B has at model'
    yield 'the weights in two places', twice, {'model': sd}, '- again' + told
    yield 'the weights in one place', {'model': sd}, twice, '+ again  dict (1): the weights, which A has at model'
    yield 'the weights in other places', twice, {'model': sd, 'other': sd}, ('- again', '+ other')
    yield 'the weights in two places of both', twice, {'again': sd, 'model': sd}, ()
    yield 'the weights and an equal dict', twice, {'model': sd, 'again': dict(sd)}, '~ again  the weights -> dict (1)'
    yield 'an equal dict and the weights', {'model': sd, 'again': dict(sd)}, twice, '~ again  dict (1) -> the weights'
    yield 'a module in two places', {'model': lin, 'best': lin}, {'model': lin}, '- best  torch.nn.modules.linear.Linear: the weights, which B has at model'
    yield 'the weights deeper down', {'model': sd, 'l': {'x': {'y': sd}}}, {'model': sd, 'l': {'x': {}}}, '- l.x.y  dict (1): the weights'
    yield 'the weights under another key', {'model': sd, 'x': 1}, {'state_dict': sd, 'x': 1}, ('- model  dict (1): the weights, which B has at state_dict', '+ state_dict')
    yield 'the weights at the root', {'model': sd}, sd, '- model  dict (1): the weights, which B has at the root'
    yield 'the weights not at the root', sd, {'model': sd}, '+ model  dict (1): the weights, which A has at the root'
    yield 'the weights further down', {'model': sd}, {'model': {'state_dict': sd, 'epoch': 3}}, ('~ model  the weights -> dict (2)', '+ model.state_dict', '+ model.epoch  3')
    yield 'the weights in a list', [sd, 1], [1, sd], ('~ 0  the weights -> 1', '~ 1  1 -> the weights')
    yield 'a tensor that is the model\'s in A only', {'model': lin, 'w': lin.weight}, {'model': lin, 'w': nn.Parameter(torch.zeros(2, 2))}, '~ w  largest difference'


def tensors():
    """Classes and attributes of tensors in the weights, and memory that they share."""
    P = with_attributes
    for what, a, b, said in (('another attribute', P(foo='x'), P(foo='y'), "~ w.foo  'x' -> 'y'"), ('an attribute less', P(foo='x', bar=1), P(bar=1), "- w.foo  'x'"),
                             ('no attribute', P(foo='x'), P(), '- w.state'), ('an attribute that is a tensor', P(t=torch.ones(1)), P(t=torch.zeros(1)), '~ w.t  largest difference 1'),
                             ('a tensor less', P(t=torch.ones(1), bar=1), P(bar=1), '- w.t  float32 [1]'), ('the same attributes', P(foo=[1]), P(foo=[1]), ()),
                             ('a subclass', torch.ones(2).as_subclass(Wrapped), torch.ones(2), '- w.type  <diff_cases.Wrapped>'),
                             ('attributes of a subclass', P(lambda: torch.ones(2).as_subclass(Wrapped), foo=1), P(lambda: torch.ones(2).as_subclass(Wrapped), foo=2), '~ w.foo  1 -> 2')):
        if type(a) is nn.Parameter and not hasattr(torch._utils, '_rebuild_parameter_with_state'): continue  # up to 1.13 the attributes are not saved
        yield what, {'w': a}, {'w': b}, said
        yield what + ', below', {'epoch': 1, 'model': {'w': a}}, {'epoch': 1, 'model': {'w': b}}, said.replace(' w', ' model.w') if said else ()
    if hasattr(nn, 'Buffer'): yield 'a Buffer', {'w': nn.Buffer(torch.ones(2))}, {'w': torch.ones(2)}, '- w.type'

    x = torch.ones(3)
    tied, untied = {'a': x, 'b': x}, {'a': x.clone(), 'b': x.clone()}
    yield 'tied weights', tied, untied, '~ b  shares its storage with a in A only'
    yield 'untied weights', untied, tied, '~ b  shares its storage with a in B only'
    yield 'tied weights of both', tied, {'a': (y := x.clone()), 'b': y}, ()
    yield 'tied to another', {'a': x, 'b': (y := x.clone()), 'c': x}, {'a': x, 'b': y, 'c': y}, '~ c  shares its storage with a in A, with b in B'
    yield 'tied, and other values', tied, {'a': x.clone(), 'b': x + 1}, '~ b  largest difference 1, 3 of 3 elements  shares its storage with a in A only'
    yield 'tied to what is outside', {'model': {'a': x}, 'ema': [x]}, {'model': {'a': x}, 'ema': [x.clone()]}, '~ ema.0  shares its storage with a in A only'
    yield 'one tensor or two views', {'a': x, 'b': x}, {'a': x, 'b': x.view(3)}, '~ b  is one tensor with a in A only'
    flat = torch.zeros(4)
    yield 'views that overlap otherwise', {'a': flat[:2], 'b': flat[1:3]}, {'a': flat[:2], 'b': flat[2:]}, '~ b  lies elsewhere in the storage that it shares with a'
    yield 'tied in a list', [x, x], [x, x.clone()], '~ 1  shares its storage with 0 in A only'
    one, two = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    two.load_state_dict({k: one.state_dict()['0' + k[1:]] for k in one.state_dict()})
    one[1].weight, one[1].bias = one[0].weight, one[0].bias
    yield 'tied Parameters of a module', {'model': one}, {'model': (two.load_state_dict(one.state_dict()), two)[1]}, '~ 1.weight  shares its storage with 0.weight in A only'


def files():
    """What a file holds beside the object."""
    sd = {'w': torch.ones(2), 'v': torch.zeros(3)}
    other = {'epoch': 1, 'w': torch.ones(3)}
    yield 'a second object', Files(sd, other), Files(sd), '- (object 2)'
    yield 'a first object alone', Files(sd), Files(sd, other), '+ (object 2)'
    yield 'another second object', Files(sd, other), Files(sd, {**other, 'epoch': 2}), '~ (object 2).epoch  1 -> 2'
    yield 'another second tensor', Files(sd, other), Files(sd, {**other, 'w': torch.zeros(3)}), '~ (object 2).w  largest difference 1'
    yield 'a third object', Files(sd, other, [1]), Files(sd, other, [2]), '~ (object 3).0  1 -> 2'
    yield 'the same objects', Files(sd, other, [1]), Files(dict(sd), dict(other), [1]), ()
    yield 'a second object that is cut short', Files(sd, other), Files(sd, other, cut=5), '~ (what follows at byte '
    yield 'the same that is cut short', Files(sd, other, cut=5), Files(sd, other, cut=5), ()
    yield 'bytes that follow', Files(sd, after=b'abc'), Files(sd, after=b'abd'), 'other from byte 2 on'
    yield 'a comment', Zipped(sd, b'hello'), Zipped(sd), '- (the comment of the archive)  5 bytes'
    yield 'another comment', Zipped(sd, b'hello'), Zipped(sd, b'hallo'), '~ (the comment of the archive)  other from byte 1 on'
    yield 'a record that nothing refers to', Zipped(sd, **{'extra/log': 'x'}), Zipped(sd), '- (record extra/log)  1 byte'
    yield 'another such record', Zipped(sd, **{'data/99': 'xy'}), Zipped(sd, **{'data/99': 'xz'}), '~ (record data/99)  other from byte 1 on'
    yield 'the same around it', Zipped(sd, b'c', **{'extra/log': 'x'}), Zipped(sd, b'c', **{'extra/log': 'x'}), ()


def values():
    a = np.arange(6.)
    yield 'members of a set that are big', {'s': {2 ** 100}}, {'s': {2 ** 100 + 1}}, ('- s  the member 1267650600228229401496703205376', '+ s  the member 1267650600228229401496703205377')
    yield 'keys that are one to Python', {'d': {1: 'x'}}, {'d': {True: 'x'}}, '~ d.1  1 -> True'
    yield 'members that are one to Python', {'d': {1}}, {'d': {1.0}}, '~ d.0  1 -> 1.0'
    yield 'elements of an array', {'a': a}, {'a': a + [0, 0, .5, 0, 0, 0]}, '~ a  largest difference 0.5, 1 of 6 elements'
    yield 'an array\'s dtype', {'a': a}, {'a': a.astype('f4')}, '~ a  <f8 -> <f4  the same values'
    yield 'an array\'s shape', {'a': a}, {'a': a.reshape(2, 3)}, '~ a  [6] -> [2, 3]'
    yield 'an array\'s order', {'a': a.reshape(2, 3)}, {'a': np.asfortranarray(a.reshape(2, 3))}, '~ a  C order -> F order'
    yield 'an array\'s class', {'a': np.matrix([[1.]])}, {'a': np.array([[1.]])}, '~ a.args.0'
    yield 'metadata of a dtype', {'a': a.astype(np.dtype('f8', metadata={'x': 1}))}, {'a': a}, '~ a.state.2'
    yield 'an array of big-endian numbers', {'a': a}, {'a': a.astype('>f8')}, ()
    yield 'a scalar', {'a': np.float64(1)}, {'a': np.float64(1 + 1e-9)}, '~ a  numpy scalar <f8 1.0 -> numpy scalar <f8 1.000000001'
    yield 'a scalar and an array', {'a': np.float64(1)}, {'a': np.array(1.)}, '~ a'
    yield 'dates', {'a': np.array(['2020-01-01'], 'M8[D]')}, {'a': np.array(['2020-01-02'], 'M8[D]')}, '~ a.state.4'


def cases():
    for group in (places, tensors, files, values): yield from group()
