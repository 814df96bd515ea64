# SPDX-License-Identifier: MIT
"""Pickles no pickler writes but a machine accepts, opcode by opcode: calls within calls, arguments that change after their call, states on
what has none, keys that are equal, keys that are not equal to themselves. `shapes()` gives (name, pickle); storage '0' has six floats.
"""
import struct

HOOKS = b'ccollections\nOrderedDict\n)R'
NAN = b'G' + struct.pack('>d', float('nan'))


def text(s):
    return b'X' + struct.pack('<I', len(s)) + s.encode()


def name(module, attribute):
    return f'c{module}\n{attribute}\n'.encode()


def tuple_of(*items):
    return b'(' + b''.join(items) + b't'


def dict_of(*pairs):
    return b'}(' + b''.join(k + v for k, v in pairs) + b'u'


def call(module, attribute, *items):
    return name(module, attribute) + tuple_of(*items) + b'R'


STORAGE = tuple_of(text('storage'), name('torch', 'FloatStorage'), text('0'), text('cpu'), b'K\x06') + b'Q'
ARGUMENTS = (STORAGE, b'K\0', b'K\x02\x85', b'K\1\x85', b'\x89', HOOKS)
TENSOR = call('torch._utils', '_rebuild_tensor_v2', *ARGUMENTS)
PAIR = b'K\1K\2\x86'
KEYS = {'ints': (b'L7L\n', b'K\x07', b'\x8a\1\x07', b'M\x07\0'), 'big_ints': (b'L99999999999999999999L\n', b'\x8a\x09\xff\xff\x0f\x63\x2d\x5e\xc7\x6b\x05'),
        'zeros': (b'\x8a\0', b'K\0', b'I00\n', b'\x89'), 'nan': (NAN + b'q\x14', b'h\x14', NAN), 'floats': (b'G?\xf0\0\0\0\0\0\0', b'K\1', b'\x88'),
        'tuples': (PAIR, PAIR + b'q\x15', b'h\x15'), 'nan_tuples': (NAN + b'q\x14\x85', b'h\x14\x85', NAN + b'\x85'),
        'frozensets': (b'(K\1K\2\x91', b'(K\2K\1\x91'), 'texts': (text('a'), b'U\1a', b'\x8c\1a', b'Va\n'), 'deep': (text('k') + b'\x85\x85\x85',) * 2}


def containers(each):
    """All that hold equal keys once, and a deque."""
    keys, values = b''.join(each), b''.join(key + b'N' for key in each)
    yield 'dict', b'}(' + values + b'u'
    yield 'set', call('builtins', 'set', b'](' + keys + b'e')
    yield 'frozenset', call('builtins', 'frozenset', b'](' + keys + b'e')
    yield 'set_of_opcodes', b'\x8f(' + keys + b'\x90'
    yield 'counter', call('collections', 'Counter', b'](' + keys + b'e')
    yield 'ordered_dict', name('collections', 'OrderedDict') + b')R(' + values + b'u'
    yield 'default_dict', name('collections', 'defaultdict') + name('builtins', 'list') + b'\x85R(' + values + b'u'
    yield 'deque', call('collections', 'deque', b'](' + keys + b'e', b'K\1')


def growing():
    pair = b'](' + text('w') + TENSOR + b'e'
    more = b'h\1' + pair + b'a0'
    for module, attribute in (('collections', 'OrderedDict'), ('builtins', 'set'), ('collections', 'Counter'), ('collections', 'deque'), ('m', 'f')):
        items = b']q\1' + (pair if attribute == 'OrderedDict' else text('w')) + b'a'
        yield attribute, call(module, attribute, items) + b'q\2' + (more if attribute == 'OrderedDict' else b'h\1K\5a0')
    yield 'metadata', call('torch._utils', '_rebuild_tensor_v2', *ARGUMENTS, b'}q\1') + b'h\1' + text('neg') + b'\x88s0'
    yield 'pair', call('collections', 'OrderedDict', b'](]q\1(' + text('w') + b'K\1ee') + b'h\1K\2a0'
    yield 'itself', call('m', 'f', b']q\1h\1a') + b'h\1K\2a0'


def shapes():
    parameter = lambda inner: call('torch._utils', '_rebuild_parameter', inner, b'\x88', HOOKS)
    typed = lambda inner: call('torch._tensor', '_rebuild_from_type_v2', name('torch._utils', '_rebuild_parameter'), name('torch.nn.parameter', 'Parameter'),
                               tuple_of(inner, b'\x88', HOOKS), b'}' + text('a') + b'K\1s')
    yield 'parameters', parameter(parameter(parameter(TENSOR)))
    yield 'typed', typed(typed(TENSOR))
    yield 'callees', name('m', 'f') + b')R)R)R'
    yield 'keyword_arguments', name('m', 'f') + b')}' + text('a') + name('m', 'f') + b')}\x92s\x92'
    yield 'modules', name('m', 'M') + b')\x81}' + text('_modules') + b'}' + text('a') + name('m', 'M') + b')\x81}' + text('_modules') + b'}sbssb'
    yield 'optimized', (name('torch._dynamo.eval_frame', 'OptimizedModule') + b')\x81}' + text('_modules') + b'}' + text('_orig_mod')) * 2 + name('m', 'M') + b')\x81' + b'ssb' * 2
    yield 'persistent', b'K\1\x85Q\x85Q\x85Q'
    for key in ('data', 'grad', 'requires_grad', 'shape', 'device', 'is_leaf', 'real', 'plain'):
        yield f'state_{key}', call('torch._utils', '_rebuild_parameter_with_state', TENSOR, b'\x88', HOOKS, b'}' + text(key) + TENSOR + b's')
    yield 'state_of_slots', call('torch._utils', '_rebuild_parameter_with_state', TENSOR, b'\x88', HOOKS, b'N}' + text('data') + TENSOR + b's\x86')
    yield 'built', TENSOR + b'}' + text('data') + TENSOR + b'sb'
    for key, value in (('neg', b'\x89'), ('conj', b'K\0'), ('neg', b'\x88'), ('other', b'N')):
        yield f'metadata_{key}_{value[0]}', call('torch._utils', '_rebuild_tensor_v2', *ARGUMENTS, b'}' + text(key) + value + b's')
    for kind, keys in KEYS.items():
        for container, made in containers(keys):
            yield f'{container}_{kind}', made
    for kind, made in growing():
        yield f'growing_{kind}', made
    yield 'tensors', dict_of((text('a'), TENSOR + b'q\1'), (text('b'), b'h\1'), (text('c'), parameter(b'h\1')), (text('d'), typed(b'h\1')))


def pickles():
    return ((f'shape_{kind}', b'\x80\x02' + body + b'.') for kind, body in shapes())
