# SPDX-License-Identifier: MIT
"""test_late_changes.py BRINE: pickles that change an object after a call has read it, or call what they know in ways that no pickler does.

What PyTorch has loaded is the truth: brine lists the same tensors, and what it converts loads as the same; or it refuses the file. Cases that
are marked `read` are values an honest pickler could have meant: those may not be refused.
"""
import collections
import os
import struct
import sys
import tempfile
import warnings

import numpy as np
import torch

import oracle
from common import Tally, command, difference, run
from state_pickle import integer, tensor, text, tuple_of
from torch_zip import checkpoint, lay_out, record_list

warnings.simplefilter('ignore')
brine, tally = command(), Tally()
NEW = tuple(int(x) for x in torch.__version__.split('.')[:2]) >= (2, 2)
STORAGES = {'0': struct.pack('<2f', 1, 2), '1': struct.pack('<2f', 666, 667)}
HOOKS, TRUE, FALSE, NONE = b'ccollections\nOrderedDict\n)R', b'\x88', b'\x89', b'N'
ONE, EVIL = tensor('0', [2]), tensor('1', [2])


def name(module, attribute): return f'c{module}\n{attribute}\n'.encode()
def put(n): return b'q' + bytes([n])
def get(n): return b'h' + bytes([n])
def number(n): return b'K' + bytes([n])
def floating(v): return b'G' + struct.pack('>d', v)
def two(a, b): return a + b + b'\x86'
def three(*values): return b'(' + b''.join(values) + b'l'
def items(*values): return b'](' + b''.join(values) + b'e'
def pairs(*kv): return b'}(' + b''.join(kv) + b'u'
def call(module, attribute, *args): return name(module, attribute) + tuple_of(*args) + b'R'
def new(module, attribute, *args): return name(module, attribute) + tuple_of(*args) + b'\x81'
def parameter(data): return call('torch._utils', '_rebuild_parameter', data, FALSE, HOOKS)
def with_state(state): return call('torch._utils', '_rebuild_parameter_with_state', ONE, TRUE, HOOKS, state)
def from_type(state): return call('torch._tensor', '_rebuild_from_type_v2', name('torch._utils', '_rebuild_tensor_v2'), name('torch', 'Tensor'), ONE.split(b'\n', 2)[2][:-1], state)
def dtype(code): return call('numpy', 'dtype', text(code), FALSE, TRUE)
def scalar(code, data): return call('numpy.core.multiarray', 'scalar', dtype(code), b'C' + bytes([len(data)]) + data)
def array(*state): return call('numpy.core.multiarray', '_reconstruct', name('numpy', 'ndarray'), number(0) + b'\x85', b'C\x01b') + tuple_of(*state) + b'b'


FIRST = items(two(text('a'), ONE), two(text('b'), number(1)))
AGAIN = text('a') + EVIL + b's'
NAN_TWICE = b'](' + floating(float('nan')) + put(9) + get(9) + b'e'
LATE = tuple_of(b'(' + text('storage') + name('torch', 'FloatStorage') + text('1') + text('cpu') + integer(2) + b'tQ', number(0), number(2) + b'\x85', number(1) + b'\x85') + b'b'


def cases():
    """(what, pickle, read)"""
    for cls, head in (('OrderedDict', ()), ('defaultdict', (name('builtins', 'list'),)), ('Counter', ())):
        for how, args in (('pairs', FIRST), ('a dict', pairs(text('a'), ONE, text('b'), number(1)))):
            if (cls, how) == ('Counter', 'pairs'): continue
            made = call('collections', cls, *head, args)
            yield f'{cls} of {how}, a value replaced', made + AGAIN, True
            yield f'{cls} of {how}, a value replaced and one added', made + AGAIN + text('c') + number(3) + b's', True
            if cls != 'defaultdict': yield f'{cls} of {how}, a value replaced before a state', made + AGAIN + pairs(text('x'), number(1)) + b'b', True
    yield 'OrderedDict by INST, a value replaced', b'(' + FIRST + b'icollections\nOrderedDict\n' + AGAIN, True

    for what, state, grow in (('a dict', b'}', text('data') + EVIL + b's'), ('a plain name', b'}', text('x') + EVIL + b's'), ('a list', b']', number(1) + b'a')):
        yield f'the empty state of a Parameter grows: {what}', three(state + put(1), with_state(get(1)), get(1) + grow), False
        yield f'the empty state of a Tensor grows: {what}', three(state + put(1), from_type(get(1)), get(1) + grow), False
        yield f'the slots of a Parameter grow: {what}', three(state + put(1), with_state(two(NONE, get(1))), get(1) + grow), False
    yield 'a tensor set after a Parameter was made of it', three(name('torch', 'FloatTensor') + b')R' + put(1), parameter(get(1)), get(1) + LATE), False
    wrapper = name('torch.nn.parameter', 'Parameter') + two(ONE, TRUE) + b'R'
    yield 'a Parameter set after another was made of it', three(wrapper + put(1), parameter(get(1)), get(1) + tuple_of(EVIL, NONE, HOOKS, FALSE, FALSE) + b'b'), False

    for cls, arg in (('OrderedDict', items(two(text('a'), ONE))), ('Counter', items(number(1), number(1))), ('deque', items(ONE)), ('defaultdict', name('builtins', 'list'))):
        yield f'NEWOBJ of {cls} ignores what it is given', new('collections', cls, arg), True
    yield 'NEWOBJ of a set ignores what it is given', new('builtins', 'set', items(ONE)), True
    yield 'NEWOBJ of a frozenset', new('builtins', 'frozenset', items(number(1))), True
    yield 'NEWOBJ of a deque of two, appended to', new('collections', 'deque', items(ONE), number(1)) + b'(' + ONE + EVIL + b'e', True
    yield 'NEWOBJ of a function', name('torch._utils', '_rebuild_tensor_v2') + ONE.split(b'\n', 2)[2][:-1] + b'\x81', False
    yield 'NEWOBJ of encode', new('_codecs', 'encode', text('x'), text('latin1')), False

    numbers = number(1), number(2) + b'\x85', dtype('f4'), FALSE, b'C\x08' + struct.pack('<2f', 1, 2)
    yield 'an item of an array is set', array(*numbers) + number(0) + floating(9) + b's', False
    swapped = tuple_of(number(3), text('>'), NONE, NONE, NONE, integer(-1), integer(-1), number(0)) + b'b'
    yield 'a dtype that changes after an array has used it', three(dtype('f4') + put(1), array(number(1), number(2) + b'\x85', get(1), FALSE, numbers[4]), get(1) + swapped), False

    for how, grow in (('grows', text('evil') + EVIL + b's'), ('changes', text('m') + EVIL + b's')):
        for cls in ('OrderedDict', 'Counter'):
            yield f'the attributes of {cls}: a dict that {how} after', three(pairs(text('m'), number(1)) + put(1), call('collections', cls) + get(1) + b'b', get(1) + grow), False
    for cls, module in (('set', 'builtins'), ('frozenset', 'builtins'), ('deque', 'collections'), ('Counter', 'collections')):
        yield f'{cls} of a dict that grows', three(pairs(number(1), number(1)) + put(1), call(module, cls, get(1)), get(1) + number(5) + number(5) + b's'), False
    yield 'Size of a list that grows', three(items(number(1)) + put(1), call('torch', 'Size', get(1)), get(1) + number(5) + b'a'), False

    yield 'a NaN twice: set by INST', b'(' + NAN_TWICE + b'ibuiltins\nset\n', True
    yield 'a NaN twice: frozenset by OBJ', b'(' + name('builtins', 'frozenset') + NAN_TWICE + b'o', True
    yield 'a NaN twice: Counter with a state', call('collections', 'Counter', NAN_TWICE) + pairs(text('q'), number(1)) + b'b', True
    twice = b'](' + two(floating(float('nan')) + put(9), number(1)) + two(get(9), number(2)) + b'e'
    yield 'a NaN twice: defaultdict', call('collections', 'defaultdict', name('builtins', 'list'), twice), True

    yield 'equal keys: devices', b'(' + call('torch', 'device', text('cuda:0')) + number(1) + call('torch', 'device', text('cuda'), number(0)) + number(2) + b'd', True
    yield 'equal keys: devices in tuples', b'(' + call('torch', 'device', text('cuda:0')) + b'\x85' + number(1) + call('torch', 'device', text('cuda'), number(0)) + b'\x85' + number(2) + b'd', True
    yield 'other keys: devices', b'(' + call('torch', 'device', text('cuda')) + number(1) + call('torch', 'device', text('cuda'), number(0)) + number(2) + b'd', True
    yield 'equal keys: names of a dtype', b'(' + name('torch', 'float32') + number(1) + name('torch', 'float') + number(2) + name('torch', 'float64') + number(3) + b'd', True
    for code, data, plain in (('i8', struct.pack('<q', 1), number(1)), ('f8', struct.pack('<d', 1), TRUE), ('b1', b'\1', floating(1)), ('f4', struct.pack('<f', 2), number(2)), ('U1', 'a'.encode('utf-32-le'), text('a')),
                              ('f2', struct.pack('<e', 1), number(1)), ('u8', b'\xff' * 8, b'\x8a\x09' + b'\xff' * 8 + b'\0'), ('c8', struct.pack('<2f', 1, 0), number(1)), ('S2', b'a\0', text('x'))):
        yield f'equal keys: numpy {code}', b'(' + plain + ONE + scalar(code, data) + EVIL + b'd', True
        yield f'the name of a key: numpy {code}', b'(' + scalar(code, data) + ONE + b'd', True
        yield f'the name of a key: numpy {code} in a tuple', b'(' + scalar(code, data) + b'\x85' + ONE + b'd', True
    yield 'the names of keys', b'(' + name('torch', 'float32') + ONE + call('torch', 'device', text('cpu')) + EVIL + call('torch', 'Size', number(1) + b'\x85') + ONE + name('torch', 'float32') + b'\x85' + ONE + b'd', True

    # One key, two classes: the storage is of the first.
    for first, second, count in (('FloatStorage', 'IntStorage', 2), ('FloatStorage', 'LongStorage', 1), ('LongStorage', 'FloatStorage', 2), ('UntypedStorage', 'FloatStorage', 2)):
        size = {'LongStorage': 1, 'UntypedStorage': 8}.get(first, 2)
        yield f'a storage under two classes: {first}, {second}', three(tensor('0', [size], storage=first), tensor('0', [1], storage=second, numel=count)), True
    numbers_set = call('builtins', 'set', items(number(1), number(8), number(3)))
    for cls, args in (('deque', (number(1),)), ('deque', ()), ('Counter', ())): yield f'{cls} of a set {args}', call('collections', cls, numbers_set, *args), False
    yield 'OrderedDict of a set', call('collections', 'OrderedDict', call('builtins', 'set', items(two(text('a'), number(1)), two(text('b'), number(2)), two(text('a'), number(3))))), False
    yield 'OrderedDict given a value again by its second name', b'(' + text('a') + ONE + text('a') + EVIL + b'd', True

    for what, metadata, grow in (('list', b']', number(1) + b'a'), ('dict', b'}', text('neg') + TRUE + b's')):
        yield f'metadata that is an empty {what}, and grows', three(metadata + put(1), ONE[:-2] + get(1) + b'tR', get(1) + grow), False
    yield 'requires_grad that is an int', ONE.replace(b'\x89', number(1)), False
    yield 'a Size of texts', call('torch', 'Size', text('a') + b'\x85'), False
    for cls in ('set', 'frozenset'): yield f'a {cls} of a device', call('builtins', cls, call('torch', 'device', text('cpu'))), False


def described(value):
    """What is the same when it is the same, whoever holds it."""
    if isinstance(value, torch.Tensor):
        return [type(value).__name__, str(value.dtype), list(value.shape), value.requires_grad, oracle.element_bytes(value), described(vars(value))]
    if isinstance(value, dict): return [type(value).__name__, [[described(k), described(v)] for k, v in value.items()], described(vars(value)) if hasattr(value, '__dict__') else None]
    if isinstance(value, (set, frozenset)): return [type(value).__name__, sorted(map(repr, value))]
    if isinstance(value, (list, tuple, collections.deque)): return [type(value).__name__, [described(v) for v in value], getattr(value, 'maxlen', None)]
    return [type(value).__name__, repr(value)]


def load(path): return torch.load(path, **({'weights_only': False} if NEW else {}))


with tempfile.TemporaryDirectory() as folder:
    path, again = os.path.join(folder, 'm.pth'), os.path.join(folder, 'again.pth')
    for what, value, read in cases():
        with open(path, 'wb') as f: f.write(checkpoint(b'\x80\x02}' + text('w') + value + b's.', STORAGES))
        try:
            loaded = load(path)
        except Exception as e:
            loaded = e
        r = run(brine, 'ls', '--all', '--json', '--crc', path)
        if isinstance(loaded, Exception):
            got = r.json()['tensors'] if r.status == 0 else []
            tally.check(what, f'{len(got)} tensors listed, PyTorch raises {loaded!r:.120}' if any(t['name'] == 'w' for t in got) else None)
            continue
        if r.status != 0:
            tally.check(what, f'refused: {r.error().strip()}, PyTorch reads it' if read else r.refused())
            continue
        fields = ('name', 'dtype', 'shape', 'requires_grad', 'crc32')
        want, got = oracle.listing(loaded, {})['tensors'], r.json()['tensors']
        if 'numpy' in what and np.__version__ < '2': want, got = ([t | {'name': None} for t in all_] for all_ in (want, got))  # its repr is another one
        tally.check(what, difference(want, got, fields))
        r = run(brine, 'convert', path, again, '--force')
        if r.status != 0:
            tally.check(what + ', saved', f'refused: {r.error().strip()}' if read else r.refused())
            continue
        try:
            new_one = described(load(again))
        except Exception as e:
            new_one = repr(e)
        tally.check(what + ', saved', None if new_one == described(loaded) else f'{new_one}, PyTorch had {described(loaded)}')

    # Arrays whose dtype numpy takes otherwise than its text says: shown as numpy has them, or without dtype.
    def state(order, *more): return tuple_of(number(3), text(order), NONE, NONE, NONE, integer(-1), integer(-1), number(0), *more) + b'b'
    unit = two(pairs(), tuple_of(b'C\x01s', number(1), number(10), number(1)))
    for what, of, data in (('a state without copy', call('numpy', 'dtype', text('f4')) + state('>'), struct.pack('<2f', 1, 2)), ('a state, copy False', call('numpy', 'dtype', text('f4'), TRUE, FALSE) + state('>'), struct.pack('<2f', 1, 2)),
                           ('a state of a copy', dtype('f4') + state('>'), struct.pack('>2f', 1, 2)), ('tenths of a second', dtype('M8') + state('<', unit), struct.pack('<2q', 1, 5))):
        with open(path, 'wb') as f: f.write(checkpoint(b'\x80\x02}' + text('w') + array(number(1), number(2) + b'\x85', of, FALSE, b'C' + bytes([len(data)]) + data) + b's.', STORAGES))
        try:
            loaded = oracle.listing(load(path), {})['arrays']
        except Exception:
            continue  # this numpy reads no such
        got = run(brine, 'ls', '--all', '--json', '--crc', path).json()['arrays']
        tally.check('an array of ' + what, None if got == [] or got[0]['dtype'] is None or all(got[0][k] == loaded[0][k] for k in ('dtype', 'shape', 'crc32')) else f'{got}, PyTorch has {loaded}')
    with open(path, 'wb') as f: f.write(lay_out([(n.replace('byteorder', 'ByteOrder'), d) for n, d in record_list(b'\x80\x02}' + text('w') + ONE + b's.', STORAGES, byteorder=b'big')]))
    tally.check('a record ByteOrder', None if run(brine, 'ls', path).status == 1 else 'not refused')
sys.exit(tally.close())
