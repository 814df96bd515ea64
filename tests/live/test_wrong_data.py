# SPDX-License-Identifier: MIT
"""test_wrong_data.py BRINE: what no honest pickler writes, and PyTorch reads: brine shows the same data, or refuses; never other data.

Each case is a value under the key 'w', written opcode by opcode over two storages. PyTorch is asked what it is: the elements of a tensor, or
the items of a plain container. Where PyTorch raises, brine refuses or keeps an inert object.
"""
import collections
import os
import struct
import sys
import tempfile
import warnings
import zlib

import torch

from common import Tally, command, run
from state_pickle import integer, tensor, text, tuple_of
from torch_zip import checkpoint

warnings.simplefilter('ignore')
brine, tally = command(), Tally()
NEW = tuple(int(x) for x in torch.__version__.split('.')[:2]) >= (2, 2)
STORAGES = {'0': struct.pack('<2f', 1, 2), '1': struct.pack('<2f', 666, 667), '2': struct.pack('<2q', 7, 8), '3': struct.pack('<4f', 1, 2, 3, 4)}
HOOKS, TRUE, FALSE, NONE = b'ccollections\nOrderedDict\n)R', b'\x88', b'\x89', b'N'


def name(module, attribute): return f'c{module}\n{attribute}\n'.encode()
def put(n): return b'q' + bytes([n])
def get(n): return b'h' + bytes([n])
def number(n): return b'K' + bytes([n])
def items(*values): return b'](' + b''.join(values) + b'e'
def pairs(*kv): return b'}(' + b''.join(kv) + b'u'
def call(module, attribute, *args): return name(module, attribute) + tuple_of(*args) + b'R'
def long_int(n): return b'\x8a' + bytes([16]) + n.to_bytes(16, 'little', signed=True)


ONE, EVIL = tensor('0', [2]), tensor('1', [2])
INTS, COMPLEX = tensor('2', [2], storage='LongStorage'), tensor('3', [2], storage='ComplexFloatStorage')


def with_metadata(metadata, base=ONE):
    assert base.endswith(HOOKS + b'tR')
    return base[:-2] + metadata + b'tR'
def with_state(state, base=ONE, grad=TRUE): return call('torch._utils', '_rebuild_parameter_with_state', base, grad, HOOKS, state)
def from_type(state, base=ONE, version=b'_v2'):
    func, args = base.split(b'\n(', 1)
    return name('torch._tensor', '_rebuild_from_type' + version.decode()) + tuple_of(func + b'\n', name('torch', 'Tensor'), b'(' + args[:-1], state) + b'R'


def attributes():
    """Every name that means something to a tensor, with values of several kinds."""
    names = {n for c in torch.nn.Parameter.__mro__ for n, v in vars(c).items() if hasattr(type(v), '__set__') or hasattr(type(v), '__delete__')}
    for n in sorted(names | {'plain', 'numel', 'names'}):
        for kind, value in (('None', NONE), ('True', TRUE), ('1', number(1)), ('a tensor', EVIL), ('a wider one', tensor('3', [2, 2])), ('ints', INTS)):
            yield n, kind, value


def cases():
    for key in ('neg', 'conj', 'other'):
        for what, value in (('True', TRUE), ('False', FALSE), ('0', number(0)), ('None', NONE), ('a text', text('x')), ('a list', b']')):
            for base in (ONE, INTS, COMPLEX): yield f'metadata {key}: {what}', with_metadata(pairs(text(key), value), base)
    yield 'metadata neg and conj', with_metadata(pairs(text('neg'), FALSE, text('conj'), FALSE), COMPLEX)
    for what, value in (('None', NONE), ('a list', b']'), ('a full list', items(number(1))), ('a number', number(3)), ('keys of ints', pairs(number(1), TRUE))):
        yield f'metadata that is {what}', with_metadata(value)
    for n, kind, value in attributes():
        for grad in (TRUE, FALSE): yield f'{n} = {kind}, a Parameter', with_state(pairs(text(n), value), grad=grad)
        yield f'{n} = {kind}, a Tensor', from_type(pairs(text(n), value))
        yield f'{n} = {kind}, by __dict__', from_type(pairs(text(n), value), version=b'')
    yield 'data in the slots', with_state(b'N' + pairs(text('data'), EVIL) + b'\x86')
    yield 'data after data', with_state(pairs(text('data'), INTS, text('x'), NONE), grad=FALSE)
    for what, state in (('()', b')'), ('a text', text('x')), ('1', number(1)), ('a list', items(number(1))), ('[]', b']'), ('three', b'}}}\x87'), ('int keys', pairs(number(1), NONE))):
        yield f'the state {what}', with_state(state)
        yield f'the state {what}, a Tensor', from_type(state)

    for cls in ('set', 'frozenset'):
        yield f'{cls}: equal members', call('builtins', cls, items(number(1), number(2), TRUE, b'G' + struct.pack('>d', 1.0), text('a'), text('a')))
        yield f'{cls}: tuples', call('builtins', cls, items(number(1) + text('a') + b'\x86', TRUE + text('a') + b'\x86', b')', b')'))
        yield f'{cls}: big ints', call('builtins', cls, items(long_int(2**70), b'L1180591620717411303424L\n', b'G' + struct.pack('>d', 2.0**70)))
    yield 'a dict with equal big ints', pairs(long_int(2**70), number(1), b'L1180591620717411303424L\n', number(2))
    nan = b'G' + struct.pack('>d', float('nan'))
    yield 'a dict with NaN keys', pairs(nan + put(1), number(1), get(1), number(2), nan, number(3))
    yield 'a dict with tuples for keys', pairs(number(1) + b'\x85', number(1), TRUE + b'\x85', number(2), number(1) + NONE + b'\x86', number(3))
    yield 'a dict with classes for keys', pairs(name('torch', 'float32'), number(1), name('torch', 'float32'), number(2))
    yield 'Counter of a list', call('collections', 'Counter', items(text('a'), text('b'), text('a'), TRUE, number(1)))
    yield 'Counter of a tuple', call('collections', 'Counter', tuple_of(text('a'), text('a')))
    yield 'Counter of a dict', call('collections', 'Counter', pairs(text('a'), number(5)))
    for limit in (b'', NONE, number(2), number(0), integer(-1)):
        yield f'deque, at most {limit!r}', call('collections', 'deque', items(number(1), number(2), number(3)), *([limit] if limit else []))
        if limit: yield f'deque, at most {limit!r}, appended to', call('collections', 'deque', items(number(1)), limit) + b'(' + number(4) + number(5) + number(6) + b'e'
    yield 'OrderedDict of pairs', call('collections', 'OrderedDict', items(text('a') + number(1) + b'\x86', text('b') + number(2) + b'\x86', text('a') + number(3) + b'\x86'))
    yield 'INST', b'(' + number(1) + text('x') + b'icollections\nOrderedDict\n'


def told(value):
    """What brine should print: dtype, shape, requires_grad and CRC of a tensor; the text of a plain container's items."""
    if isinstance(value, torch.Tensor):
        plain = value.detach().resolve_conj().resolve_neg().contiguous().numpy()
        return (str(value.dtype)[6:], list(value.shape), value.requires_grad, f'{zlib.crc32(plain.tobytes()):08x}')
    def text_of(v): return f"'{v}'" if isinstance(v, str) else f'<{v}>' if isinstance(v, torch.dtype) else f'tuple ({len(v)})' if isinstance(v, tuple) else repr(v)
    def key_of(k): return f"'{k}'" if isinstance(k, str) else str(k) if not isinstance(k, torch.dtype) else '<dtype>'
    if isinstance(value, dict): return [f'{key_of(k)}: {text_of(v)}' for k, v in value.items()]
    if isinstance(value, (set, frozenset)): return sorted(text_of(v) for v in value)
    if isinstance(value, collections.deque): return [text_of(v) for v in value]
    return None


folder = tempfile.TemporaryDirectory()
path, again = os.path.join(folder.name, 'm.pth'), os.path.join(folder.name, 'again.pth')


def shown(file, wanted):
    """What brine says of w in the same terms; None where it refuses, or keeps an object."""
    if isinstance(wanted, tuple) or wanted is None:
        r = run(brine, 'ls', '--all', '--json', '--crc', file)
        if r.status != 0: return None
        for t in r.json()['tensors']:
            if t['name'] == 'w': return (t['dtype'], t['shape'], t['requires_grad'], t['crc32'])
        return None
    r = run(brine, 'show', file, '--at', 'w')
    if r.status != 0: return None
    lines = [line.strip() for line in r.text().splitlines()[1:] if line.startswith('  ') and not line.startswith('    ')]
    if wanted and not any(': ' in w for w in wanted): lines = [line.split(': ', 1)[1] for line in lines]
    return sorted(lines) if r.text().startswith(('set', 'frozenset')) else lines


def is_new(what):
    """1.13 has no such argument, or sets nothing."""
    return any(word in what for word in ('metadata', ' = ', 'state', 'data '))


for what, value in cases():
    if not NEW and is_new(what): continue
    with open(path, 'wb') as f: f.write(checkpoint(b'\x80\x02}' + text('w') + value + b's.', STORAGES))
    try:
        loaded = torch.load(path, **({'weights_only': False} if NEW else {}))['w']
        wanted = told(loaded)
    except Exception as e:
        loaded, wanted = e, None
    got = shown(path, wanted)
    if wanted is None:
        tally.check(what, f'{got}, PyTorch raises {loaded!r:.120}' if got and isinstance(loaded, Exception) else None)
    else:
        if got is None and isinstance(wanted, tuple) and any(f'{n} =' in what for n in ('real', '__dict__', '__class__', '_grad_fn', 'grad_dtype', 'names')):
            tally.ok()  # refused: no data is told, nor wrong data
            continue
        tally.check(what, None if got == wanted else f'{got}, PyTorch has {wanted}')
        if got == wanted and run(brine, 'convert', path, again, '--force').status == 0:  # and so it is written
            tally.check(what + ', saved', None if (new := shown(again, wanted)) == wanted else f'{new}, PyTorch had {wanted}')
sys.exit(tally.close())
