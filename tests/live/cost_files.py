# SPDX-License-Identifier: MIT
"""Files of 100 kB to 1 MB that name a thing once and refer to it as often as they can: what cost.py measures beside hostile and fuzzed ones.

FILES: name -> function that gives (bytes, bytes of a second file or None). Each stands for a kind of multiplication: a long name by its uses, a
shared container by those that have it, a depth by what lies there, an order of keys by their length.

cost_files.py FOLDER writes them: NAME, and NAME.second.
"""
import os
import struct
import sys

from torch_zip import checkpoint as lay_out
from torch_zip import lay_out as lay_out_records
from torch_zip import record_list

P = b'\x80\x02'
MAGIC = b'\x80\x02\x8a\x0a\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19\x2E'
ONE = struct.pack('<f', 1.0)
FILES = {}


def file(function):
    FILES[function.__name__.replace('_', ' ')] = function
    return function


# ---- pickles

def text(s):
    b = s if isinstance(s, bytes) else s.encode()
    return b'X' + struct.pack('<I', len(b)) + b


def number(n):
    if 0 <= n < 256: return b'K' + bytes([n])
    if 0 <= n < 65536: return b'M' + struct.pack('<H', n)
    if -2**31 <= n < 2**31: return b'J' + struct.pack('<i', n)
    size = n.bit_length() // 8 + 1
    return b'\x8a' + bytes([size]) + n.to_bytes(size, 'little', signed=True)


def name(module, attribute): return b'c' + module.encode() + b'\n' + attribute.encode() + b'\n'
def put(i): return b'q' + bytes([i]) if i < 256 else b'r' + struct.pack('<I', i)
def get(i): return b'h' + bytes([i]) if i < 256 else b'j' + struct.pack('<I', i)
def tuple_of(*items): return b'(' + b''.join(items) + b't'
def list_of(*items): return b'](' + b''.join(items) + b'e'
def entries(*pairs): return b'}(' + b''.join(k + v for k, v in pairs) + b'u'


def storage(key='0', numel=1, cls='FloatStorage', device=None, view=b''):  # legacy streams: view=b'N'
    key = key if isinstance(key, bytes) else text(key)
    return tuple_of(text('storage'), name('torch', cls), key, device or text('cpu'), number(numel), view) + b'Q'


HOOKS = name('collections', 'OrderedDict') + b')R'


def tensor(of=None, shape=(1,), stride=(1,), offset=0, call=name('torch._utils', '_rebuild_tensor_v2')):
    sizes = [t if isinstance(t, bytes) else tuple_of(*map(number, t)) for t in (shape, stride)]
    return call + tuple_of(of or storage(), number(offset), *sizes, b'\x89', HOOKS) + b'R'


class Pickle:
    """A pickle whose first opcodes put what is shared into the memo."""
    def __init__(self): self.data, self.known = bytearray(P), 0

    def keep(self, opcodes):
        """Puts a value into the memo; gives the opcodes that refer to it."""
        self.data += opcodes + put(self.known) + b'0'
        self.known += 1
        return get(self.known - 1)

    def end(self, opcodes): return bytes(self.data) + opcodes + b'.'


def checkpoint(pickle, *storages, **options): return lay_out(pickle, dict(enumerate(storages or (ONE,))), **options)


def legacy(obj, keys=(), tail=b'', view=b'N'):
    info = entries((text('protocol_version'), number(1001)), (text('little_endian'), b'\x88'), (text('type_sizes'), b'}'))
    return MAGIC + P + b'M\xe9\x03.' + P + info + b'.' + obj + P + list_of(*map(text, keys)) + b'.' + tail


class Modules(Pickle):
    """What modules are made of, in the memo: a whole one is some twenty bytes."""
    def __init__(self, cls=('m', 'M')):
        super().__init__()
        self.tensor, self.cls, self.none = self.keep(tensor()), self.keep(name(*cls)), self.keep(b'}')
        self.words = [self.keep(text(w)) for w in ('_parameters', '_buffers', '_modules')]

    def state(self, parameters=None, buffers=None, children=None, more=b''):
        parts = [part or self.none for part in (parameters, buffers, children)]
        return b'}(' + b''.join(w + p for w, p in zip(self.words, parts)) + more + b'u'

    def module(self, state, cls=None): return (cls or self.cls) + b')R' + state + b'b'


LONG = 400_000  # bytes of a name that stands for one of any length


# ---- modules: names

@file
def modules_deep_under_one_long_name():
    m = Modules()
    key = m.keep(text('k' * LONG))
    inner = m.module(m.state(entries((key, m.tensor))))
    depth, head = 3_000, m.cls + b')R}(' + m.words[0] + m.none + m.words[1] + m.none + m.words[2] + b'}' + key
    return checkpoint(m.end(head * depth + inner + b'sub' * depth)), None


@file
def modules_deep_with_parameters_under_one_long_name():
    m = Modules()
    key = m.keep(text('k' * LONG))
    inner = m.module(m.state(entries((key, m.tensor))))
    depth, head = 3_000, m.cls + b')R}(' + m.words[0] + m.keep(entries((key, m.tensor))) + m.words[1] + m.none + m.words[2] + b'}' + key
    return checkpoint(m.end(head * depth + inner + b'sub' * depth)), None


@file
def modules_deep_under_short_names():
    m = Modules()
    key = m.keep(text('k'))
    weights = m.keep(entries((key, m.tensor)))
    depth, head = 10_000, m.cls + b')R}(' + m.words[0] + weights + m.words[1] + m.none + m.words[2] + b'}' + key
    return checkpoint(m.end(head * depth + m.module(m.state(weights)) + b'sub' * depth)), None


def names_just_within(names, size, length):
    """So many parameters under a prefix of `length`, in a pickle that is larger by `size`."""
    m = Modules()
    inner = m.module(m.state(entries(*[(text('%x' % i), m.tensor) for i in range(names)])))
    root = m.module(m.state(children=entries((text('p' * length), inner))))
    return checkpoint(m.end(root + text('x' * size) + b'0')), None


@file
def parameters_under_a_long_prefix(): return names_just_within(100, 300_000, 250_000)


@file
def parameters_under_a_longer_prefix(): return names_just_within(45, 100, 400_000)


@file
def many_parameters_under_a_prefix(): return names_just_within(10_000, 100_000, 2_000)


@file
def names_as_long_as_they_may_be(): return names_just_within(14, 100_000, 300_000)


@file
def many_names_as_long_as_they_may_be(): return names_just_within(4_000, 800_000, 2_500)


@file
def shared_modules_as_many_as_they_may_be():
    m = Modules()
    leaf = m.keep(m.module(m.state(entries(*[(text('%x' % i), m.tensor) for i in range(100)]))))
    inner = m.keep(m.module(m.state(children=entries(*[(text('%x' % i), leaf) for i in range(20)]))))
    return checkpoint(m.end(m.module(m.state(children=entries(*[(text('%x' % i), inner) for i in range(28)]))) + text('x' * 300_000) + b'0')), None


@file
def parts_of_shared_modules_as_many_as_they_may_be():
    m = Modules()
    leaf = m.keep(m.module(m.state(more=text('_state_dict_hooks') + entries(*[(number(i), b'N') for i in range(2_000)]))))
    return checkpoint(m.end(m.module(m.state(children=entries(*[(text('%x' % i), leaf) for i in range(2_300)]))) + text('x' * 300_000) + b'0')), None


@file
def many_modules_each_with_one_long_name():
    m = Modules()
    key = m.keep(text('k' * LONG))
    leaf = m.keep(m.module(m.state(entries((key, m.tensor)))))
    parent = m.keep(m.state(children=entries((key, leaf))))
    return checkpoint(m.end(list_of(*[m.module(parent) for _ in range(40_000)]))), None


@file
def a_model_of_many_modules_with_one_long_parameter():
    m = Modules()
    key = m.keep(text('k' * LONG))
    state = m.keep(m.state(entries((key, m.tensor))))
    return checkpoint(m.end(m.module(m.state(children=entries(*[(text('%x' % i), m.module(state)) for i in range(20_000)]))))), None


@file
def a_model_of_many_modules_with_one_long_parameter_of_none():
    m = Modules()
    key = m.keep(text('k' * LONG))
    state = m.keep(m.state(entries((key, b'N')), children=entries((key, b'N'))))
    return checkpoint(m.end(m.module(m.state(children=entries(*[(text('%x' % i), m.module(state)) for i in range(20_000)]))))), None


@file
def a_long_buffer_that_is_not_persistent():
    m = Modules()
    key = m.keep(text('k' * LONG))
    left_out = name('builtins', 'set') + b'(](' + text('k' * LONG) + b'etR'
    state = m.keep(m.state(buffers=entries((key, m.tensor)), more=text('_non_persistent_buffers_set') + left_out))
    return checkpoint(m.end(m.module(m.state(children=entries(*[(text('%x' % i), m.module(state)) for i in range(15_000)]))))), None


@file
def one_set_of_long_names_in_many_modules():
    m = Modules()
    left_out = name('builtins', 'set') + b'(](' + b''.join(text('k' * 1000 + '%x' % i) for i in range(400)) + b'etR'
    state = m.keep(m.state(more=text('_non_persistent_buffers_set') + left_out))
    return checkpoint(m.end(m.module(m.state(children=entries(*[(text('%x' % i), m.module(state)) for i in range(25_000)]))))), None


@file
def modules_of_modules_each_twice():
    m = Modules()
    inner = m.keep(m.module(m.state(entries((text('w'), m.tensor)))))
    for _ in range(40): inner = m.keep(m.module(m.state(children=entries((text('a'), inner), (text('b'), inner)))))
    return checkpoint(m.end(inner + text('x' * 300_000) + b'0')), None


@file
def a_class_of_a_long_name():
    m = Modules(('m', 'M' * 30_000))
    state = m.keep(m.state(entries((text('w'), m.tensor))))
    return checkpoint(m.end(m.module(m.state(children=entries(*[(text('%x' % i), m.module(state)) for i in range(20_000)]))))), None


@file
def many_hooks_of_a_long_name_in_many_modules():
    m = Modules()
    hook = m.keep(name('h', 'H' * 30_000))
    hooks = b'}(' + b''.join(number(i) + hook for i in range(1_000)) + b'u'
    state = m.keep(m.state(entries((text('w'), m.tensor)), more=text('_state_dict_hooks') + hooks))
    return checkpoint(m.end(m.module(m.state(children=entries(*[(text('%x' % i), m.module(state)) for i in range(10_000)]))))), None


@file
def spectral_norm_of_one_weight_under_many_names():
    m, n, size = Modules(), 10_000, 30_000
    call = m.keep(name('torch._utils', '_rebuild_tensor_v2'))
    m.tensor = whole = m.keep(tensor(storage('1', size), (1, size), (size, 1), call=call))
    one = m.keep(tensor(storage('1', size), (1,), (1,), call=call))
    names = [text('%x' % i) for i in range(n)]
    fn = m.keep(name('torch.nn.utils.spectral_norm', 'SpectralNorm'))
    before = m.keep(name('torch.nn.utils.spectral_norm', 'SpectralNormStateDictHook'))
    words = [m.keep(text(w)) for w in ('fn', 'name', 'dim')]
    hooks = b'}(' + b''.join(number(i) + before + b')R}' + words[0] + fn + b')R}(' + words[1] + key + words[2] + b'K\0ubsb' for i, key in enumerate(names)) + b'u'
    weights = entries(*[pair for i in range(n) for pair in ((text(f'{i:x}_orig'), whole), (text(f'{i:x}_u'), one))])
    model = m.module(m.state(weights, more=text('_state_dict_hooks') + hooks))
    old = Pickle()
    call = old.keep(name('torch._utils', '_rebuild_tensor_v2'))
    whole, one = old.keep(tensor(storage('0', size), (1, size), (size, 1), call=call)), old.keep(tensor(storage('0', size), (1,), (1,), call=call))
    second = old.end(entries(*[pair for i in range(n) for pair in ((text(f'{i:x}_orig'), whole), (text(f'{i:x}'), whole), (text(f'{i:x}_u'), one))]))
    return checkpoint(m.end(model), ONE, ONE * size), checkpoint(second, ONE * size)


# ---- modules: repr

@file
def a_long_tuple_of_ones_in_many_modules():
    m = Modules(('torch.nn.modules.conv', 'Conv2d'))
    ones = m.keep(tuple_of(*[b'K\1'] * 100_000))
    more = b''.join(text(w) + ones for w in ('kernel_size', 'stride', 'dilation', 'padding', 'output_padding'))
    state = m.keep(m.state(more=more))
    return checkpoint(m.end(m.module(m.state(children=entries(*[(text('%x' % i), m.module(state)) for i in range(20_000)]))))), None


@file
def one_dict_of_keys_in_many_parameter_dicts():
    m = Modules(('torch.nn.modules.container', 'ParameterDict'))
    keys = entries(*[(number(i), b'N') for i in range(60_000)])
    state = m.keep(m.state(more=text('_keys') + keys))
    return checkpoint(m.end(m.module(m.state(children=entries(*[(text('%x' % i), m.module(state)) for i in range(20_000)]))))), None


@file
def one_long_key_in_many_parameter_dicts():
    m = Modules(('torch.nn.modules.container', 'ParameterDict'))
    keys = entries((text('k' * LONG), b'N'))
    state = m.keep(m.state(more=text('_keys') + keys))
    return checkpoint(m.end(m.module(m.state(children=entries(*[(text('%x' % i), m.module(state)) for i in range(25_000)]))))), None


@file
def packed_parameters_looked_through_by_many_modules():
    m = Modules(('torch.ao.nn.quantized.modules.linear', 'Linear'))
    packed = m.keep(list_of(*[b']'] * 300))
    state = m.keep(m.state(more=text('_packed_params') + packed))
    return checkpoint(m.end(m.module(m.state(children=entries(*[(text('%x' % i), m.module(state)) for i in range(30_000)]))))), None


@file
def long_arguments_in_many_modules():
    m = Modules(('torch.nn.modules.linear', 'Linear'))
    value = m.keep(text('v' * LONG))
    state = lambda i: m.state(more=m_in + value + m_out + number(i) + m_bias + value)
    m_in, m_out, m_bias = (m.keep(text(w)) for w in ('in_features', 'out_features', 'bias'))
    return checkpoint(m.end(m.module(m.state(children=entries(*[(text('%x' % i), m.module(state(i))) for i in range(12_000)]))))), None


@file
def long_labels_in_many_modules():
    m = Modules()
    keys = [m.keep(text('k' * 1_000 + '%x' % i)) for i in range(300)]
    leaf = m.keep(m.module(m.state()))
    inner = lambda i: m.module(m.state(children=entries(*[(k, leaf) for k in keys[i % 250:i % 250 + 50]])))
    return checkpoint(m.end(m.module(m.state(children=entries(*[(text('%x' % i), inner(i)) for i in range(1_500)]))))), None


# ---- texts, keys, containers

@file
def one_long_key_in_many_dicts():
    p = Pickle()
    key = p.keep(text('k' * LONG))
    return checkpoint(p.end(list_of(*[b'}' + key + b'Ns'] * 80_000))), None


@file
def one_long_key_in_many_state_dicts():
    p = Pickle()
    key, t = p.keep(text('k' * LONG)), p.keep(tensor())
    return checkpoint(p.end(list_of(*[b'}' + key + t + b's'] * 60_000))), None


@file
def a_deep_place_with_many_items(): return checkpoint(P + b']' * 200 + b'(' + b'N' * 500_000 + b'e' + b'a' * 199 + b'.'), None


@file
def many_items(): return checkpoint(P + b'](' + b'N' * 800_000 + b'e.'), None


@file
def many_lists(): return checkpoint(P + b'](' + b']N' * 300_000 + b'e.'), None


@file
def many_lists_in_lists(): return checkpoint(P + b']' * 300_000 + b'a' * 299_999 + b'.'), None


@file
def many_deep_lists(): return checkpoint(P + b'](' + (b']' * 200 + b'a' * 199) * 1_500 + b'e.'), None


@file
def many_texts_of_one():
    p = Pickle()
    value = p.keep(text('\x01' * LONG))
    return checkpoint(p.end(list_of(*[value] * 200_000))), None


@file
def many_bytes_of_one():
    p = Pickle()
    value = p.keep(b'B' + struct.pack('<I', LONG) + b'\1' * LONG)
    return checkpoint(b'\x80\x03' + p.end(list_of(*[value] * 200_000))[2:]), None


@file
def one_state_of_many_objects():
    p = Pickle()
    cls, state = p.keep(name('m', 'M')), p.keep(entries(*[(number(i), b'N') for i in range(60_000)]))
    return checkpoint(p.end(list_of(*[cls + b')R' + state + b'b'] * 60_000))), None


@file
def one_argument_tuple_of_many_objects():
    p = Pickle()
    cls, args = p.keep(name('m', 'M')), p.keep(b'(' + b'N' * 300_000 + b't')
    return checkpoint(p.end(list_of(*[cls + args + b'R'] * 60_000))), None


@file
def one_state_of_many_dicts():
    p = Pickle()
    cls, state = p.keep(name('collections', 'OrderedDict')), p.keep(entries(*[(text('%x' % i), b'N') for i in range(40_000)]))
    return checkpoint(p.end(list_of(*[cls + b')R' + state + b'b'] * 60_000))), None


@file
def one_kept_state_of_many_tensors():
    p = Pickle()
    t, call = p.keep(tensor()), p.keep(name('torch._utils', '_rebuild_parameter_with_state'))
    state = p.keep(entries(*[(text('%x' % i), t) for i in range(8_000)]))
    hooks = p.keep(HOOKS)
    return checkpoint(p.end(list_of(*[call + b'(' + t + b'\x88' + hooks + state + b'tR'] * 8_000))), None


@file
def one_long_attribute_of_many_tensors():
    p = Pickle()
    t, call = p.keep(tensor()), p.keep(name('torch._utils', '_rebuild_parameter_with_state'))
    state, hooks = p.keep(entries((text('k' * LONG), t))), p.keep(HOOKS)
    return checkpoint(p.end(list_of(*[call + b'(' + t + b'\x88' + hooks + state + b'tR'] * 40_000))), None


@file
def keyword_arguments_of_many_objects():
    p = Pickle()
    cls, words = p.keep(name('m', 'M')), p.keep(entries(*[(text('%x' % i), b'N') for i in range(40_000)]))
    return checkpoint(b'\x80\x04' + p.end(list_of(*[cls + b')' + words + b'\x92'] * 60_000))[2:]), None


@file
def equal_tuples_of_tuples():
    p = Pickle()
    keys = []
    for _ in range(2):
        key = b')'
        for _ in range(200): key = p.keep(key + key + b'\x86')
        keys.append(key)
    return checkpoint(p.end(entries(*[(k, b'N') for k in keys * 10_000]) + text('x' * 100_000) + b'0')), None


@file
def equal_tuples_of_tuples_of_two_files():
    p = Pickle()
    value = b')'
    for _ in range(300): value = p.keep(value + value + b'\x86')
    q = Pickle()
    other = b')'
    for _ in range(300): other = q.keep(other + (b')' if other == b')' else other) + b'\x86')
    return checkpoint(p.end(value)), checkpoint(q.end(other))


@file
def tuple_keys_of_one_long_text():
    p = Pickle()
    key = p.keep(text('k' * LONG))
    return checkpoint(p.end(b'}(' + b''.join(key + number(i) + b'\x86N' for i in range(60_000)) + b'u')), None


@file
def sets_of_one_long_text():
    p = Pickle()
    key, made = p.keep(text('k' * LONG)), p.keep(name('builtins', 'set'))
    args = p.keep(list_of(key) + b'\x85')
    return checkpoint(p.end(list_of(*[made + args + b'R'] * 80_000))), None


@file
def dicts_of_one_long_key_that_is_set_often():
    p = Pickle()
    key = p.keep(text('k' * LONG))
    return checkpoint(p.end(b'}(' + (key + b'N') * 150_000 + b'u')), None


@file
def cycles_of_different_length():
    def cycle(n): return P + b']' + put(0) + b'](' * 0 + b']' * (n - 1) + get(0) + b'a' * n + b'.'
    return checkpoint(cycle(200_003)), checkpoint(cycle(200_000))


@file
def ints_of_many_digits():
    return checkpoint(P + b'](' + b''.join(b'L' + b'%d' % (10 + i % 90) + b'9' * 4_000 + b'L\n' for i in range(200)) + b'e.'), None


@file
def keys_of_many_digits():
    return checkpoint(P + b'}(' + b''.join(b'L' + b'%d' % (10 + i % 90) + b'9' * 4_200 + b'L\nN' for i in range(200)) + b'u.'), None


@file
def one_int_of_many_digits_as_key():
    p = Pickle()
    value = p.keep(b'L' + b'9' * 4_299 + b'L\n')
    return checkpoint(p.end(list_of(*[b'}' + value + b'Ns'] * 100_000))), None


@file
def one_long_int_as_key():
    p = Pickle()
    value = p.keep(b'\x8b' + struct.pack('<I', LONG) + b'\x7f' * LONG)
    return checkpoint(p.end(list_of(*[b'}' + value + b'Ns'] * 80_000))), None


@file
def one_long_int_in_many_places():
    p = Pickle()
    value = p.keep(b'\x8b' + struct.pack('<I', LONG) + b'\x7f' * LONG)
    return checkpoint(p.end(list_of(*[value] * 200_000))), None


@file
def one_int_of_digits_in_many_places():
    p = Pickle()
    value = p.keep(b'L' + b'9' * 4_299 + b'L\n')
    return checkpoint(p.end(list_of(*[value] * 200_000))), None


@file
def one_device_in_many_places():
    p = Pickle()
    value = p.keep(name('torch', 'device') + text('cuda:' + '0' * LONG) + b'\x85R')
    return checkpoint(p.end(list_of(*[value] * 200_000))), None


@file
def one_device_text_in_many_devices():
    p = Pickle()
    cls, value = p.keep(name('torch', 'device')), p.keep(text('cuda:' + '0' * LONG) + b'\x85')
    return checkpoint(p.end(list_of(*[cls + value + b'R'] * 80_000))), None


@file
def one_location_of_many_storages():
    p = Pickle()
    word, cls, where, call = p.keep(text('storage')), p.keep(name('torch', 'FloatStorage')), p.keep(text('cuda:' + '1' * 250)), p.keep(name('torch._utils', '_rebuild_tensor_v2'))
    no, hooks = p.keep(b')'), p.keep(HOOKS)
    return checkpoint(p.end(list_of(*[call + b'((' + word + cls + text('%x' % i) + where + b'K\0tQK\0K\0\x85K\1\x85\x89' + hooks + b'tR' for i in range(15_000)])), b''), None


@file
def storages_of_a_long_key():
    p = Pickle()
    call, hooks, shape, stride = p.keep(name('torch._utils', '_rebuild_tensor_v2')), p.keep(HOOKS), p.keep(b'K\0\x85'), p.keep(b'K\1\x85')
    of = p.keep(storage(text('k' * 200_000), 0))
    t = lambda: call + b'(' + of + b'K\0' + shape + stride + b'\x89' + hooks + b'tR'
    return checkpoint(p.end(list_of(*[t() for _ in range(40_000)]))), None


@file
def tensors_of_many_dimensions():
    p = Pickle()
    call, hooks = p.keep(name('torch._utils', '_rebuild_tensor_v2')), p.keep(HOOKS)
    of, shape, stride = p.keep(storage()), p.keep(b'(' + b'K\1' * 64 + b't'), p.keep(b'(' + number(2**62) * 64 + b't')
    t = call + b'(' + of + b'K\0' + shape + stride + b'\x89' + hooks + b'tR'
    return checkpoint(p.end(list_of(*[t] * 9_000))), None


@file
def tensors_of_many_dimensions_by_name():
    p = Pickle()
    call, hooks = p.keep(name('torch._utils', '_rebuild_tensor_v2')), p.keep(HOOKS)
    of, shape, stride = p.keep(storage()), p.keep(b'(' + b'K\1' * 64 + b't'), p.keep(b'(' + number(2**62) * 64 + b't')
    t = p.keep(call + b'(' + of + b'K\0' + shape + stride + b'\x89' + hooks + b'tR')
    return checkpoint(p.end(entries(*[(text('%x' % i), t) for i in range(40_000)]))), None


@file
def one_dtype_of_many_arrays():
    p = Pickle()
    call = p.keep(name('numpy.core.multiarray', '_reconstruct'))
    cls = p.keep(name('numpy', 'ndarray'))
    dtype = p.keep(name('numpy', 'dtype') + tuple_of(text('V8'), b'\x89', b'\x88') + b'R' +
                   tuple_of(b'K\3', text('|'), b'N', tuple_of(text('k' * LONG)), entries((text('k' * LONG), tuple_of(name('numpy', 'dtype') + tuple_of(text('f8'), b'\x89', b'\x88') + b'R', b'K\0'))), b'K\10', b'K\1', b'K\20') + b'b')
    args, shape, data = p.keep(cls + b'K\0\x85' + text('b') + b'\x87'), p.keep(b'K\1\x85'), p.keep(text('x' * 8))
    return checkpoint(p.end(list_of(*[call + args + b'R(K\1' + shape + dtype + b'\x89' + data + b'tb'] * 20_000))), None


@file
def one_type_text_of_many_arrays():
    p = Pickle()
    call = p.keep(name('numpy.core.multiarray', '_reconstruct'))
    cls = p.keep(name('numpy', 'ndarray'))
    dtype = p.keep(name('numpy', 'dtype') + tuple_of(text('f8' + '0' * LONG), b'\x89', b'\x88') + b'R' + tuple_of(b'K\3', text('<' * LONG), b'N', b'N', b'N', number(-1), number(-1), b'K\0') + b'b')
    args, shape, data = p.keep(cls + b'K\0\x85' + text('b') + b'\x87'), p.keep(b'K\1\x85'), p.keep(text('x' * 8))
    return checkpoint(p.end(list_of(*[call + args + b'R(K\1' + shape + dtype + b'\x89' + data + b'tb'] * 20_000))), None


@file
def arrays_of_many_dimensions():
    p = Pickle()
    call = p.keep(name('numpy.core.multiarray', '_reconstruct'))
    cls = p.keep(name('numpy', 'ndarray'))
    dtype = p.keep(name('numpy', 'dtype') + tuple_of(text('f8'), b'\x89', b'\x88') + b'R' + tuple_of(b'K\3', text('<'), b'N', b'N', b'N', number(-1), number(-1), b'K\0') + b'b')
    args, shape, data = p.keep(cls + b'K\0\x85' + text('b') + b'\x87'), p.keep(b'(' + b'K\1' * 100_000 + b't'), p.keep(text('x' * 8))
    return checkpoint(p.end(list_of(*[call + args + b'R(K\1' + shape + dtype + b'\x89' + data + b'tb'] * 20_000))), None


@file
def sizes_of_many_dimensions():
    p = Pickle()
    size = p.keep(name('torch', 'Size') + b'(' + b'K\1' * 100_000 + b'\x85'[:0] + b't\x85R')
    return checkpoint(p.end(list_of(*[size] * 100_000))), None


# ---- state dicts

def state_dict(names):
    p = Pickle()
    t = p.keep(tensor())
    return checkpoint(p.end(entries(*[(text(n), t) for n in names])))


@file
def names_of_many_dots(): return state_dict(['a.' * 250_000 + 'w', 'w']), state_dict(['b.' * 250_000 + 'w', 'v'])


@file
def names_of_dots(): return state_dict(['.' * 500_000]), state_dict(['.' * 499_999])


@file
def one_long_name_among_short_ones(): return state_dict(['k' * LONG] + ['%x' % i for i in range(30_000)]), state_dict(['j' * LONG] + ['%x' % i for i in range(30_000)])


@file
def names_that_nearly_agree(): return state_dict(['layer.%d.weight' % i for i in range(20_000)]), state_dict(['layers.%d.wieght' % i for i in range(20_000)])


@file
def names_of_one_long_start():
    return state_dict(['k' * 400 + '.%d.w' % i for i in range(1_500)]), state_dict(['k' * 400 + '.%d.v' % i for i in range(1_500)])


@file
def names_of_control_characters(): return state_dict(['\x01' * 30 + '%x' % i for i in range(10_000)]), state_dict(['\x02' * 30 + '%x' % i for i in range(10_000)])


@file
def names_of_numbers(): return state_dict(['1.' * 100 + '%d' % i for i in range(3_000)]), state_dict(['1.' * 100 + 'a%d' % i for i in range(3_000)])


@file
def a_checkpoint_with_much_beside(): return checkpoint(P + entries((text('model'), entries((text('w'), tensor()))), *[(text('%x' % i), b'N') for i in range(40_000)], (text('k' * LONG), tensor())) + b'.'), None


@file
def versions_of_many_modules():
    p = Pickle()
    t, version = p.keep(tensor()), p.keep(entries((text('version'), b'K\1')))
    metadata = name('collections', 'OrderedDict') + b')R(' + b''.join(text('%x' % i) + version for i in range(25_000)) + b'u'
    return checkpoint(p.end(name('collections', 'OrderedDict') + b')R' + text('w') + t + b's}' + text('_metadata') + metadata + b'sb')), None


@file
def old_norms_of_many_modules():
    m = Modules(('torch.nn.modules.batchnorm', 'BatchNorm2d'))
    words = [text(w) for w in ('running_mean', 'running_var', 'num_batches_tracked')]
    state = m.keep(m.state(buffers=entries(*[(w, m.tensor) for w in words]), more=text('track_running_stats') + b'\x88'))
    prefix = text('p' * 200)
    inner = m.module(m.state(children=entries(*[(text('%x' % i), m.module(state)) for i in range(8_000)])))
    return checkpoint(m.end(m.module(m.state(children=entries((prefix, inner)))))), state_dict(['w'])


# ---- tensors and their bytes

def views(n, numel, shape, step, data, cast=None):
    p = Pickle()
    call, hooks, of = p.keep(name('torch._utils', '_rebuild_tensor_v2')), p.keep(HOOKS), p.keep(storage('0', numel))
    sizes, strides = p.keep(tuple_of(*map(number, shape))), p.keep(b'K\1\x85')
    t = lambda i: call + b'(' + of + number(i * step) + sizes + strides + b'\x89' + hooks + b'tR'
    pickle = p.end(entries(*[(text('%x' % i), t(i if step > 0 else i - n + 1)) for i in range(n)]))
    return lay_out_records(record_list(pickle, {0: data})) if not isinstance(data, int) else deflated(pickle, data)


def deflated(pickle, size, packed_pickle=False):
    """A checkpoint whose storage is so many zeros, deflated; its pickle too, if wanted."""
    import zlib
    out, directory = bytearray(), bytearray()
    def packed(chunks):
        deflate, crc, total, parts = zlib.compressobj(9, zlib.DEFLATED, -15), 0, 0, []
        for c in chunks: parts.append(deflate.compress(c)); crc = zlib.crc32(c, crc); total += len(c)
        return b''.join(parts) + deflate.flush(), crc, total
    zeros = (bytes(min(1 << 20, size - at)) for at in range(0, size, 1 << 20))
    records = [('data.pkl', *(packed([pickle]) if packed_pickle else (pickle, zlib.crc32(pickle), len(pickle)))), ('data/0', *packed(zeros)), ('version', b'3\n', zlib.crc32(b'3\n'), 2)]
    for record, data, crc, total in records:
        full = ('archive/' + record).encode()
        head = struct.pack('<HHHHHIIIHH', 20, 0, 8 if total != len(data) or (record == 'data/0') else 0, 0, 0, crc, len(data), total, len(full), 0)
        directory += b'PK\1\2\x14\0' + head + struct.pack('<HHHII', 0, 0, 0, 0, len(out)) + full
        out += b'PK\3\4' + head + full + data
    return bytes(out + directory + b'PK\5\6' + struct.pack('<HHHHIIH', 0, 0, len(records), len(records), len(directory), len(out), 0))


@file
def one_tensor_in_many_places():
    p = Pickle()
    t = p.keep(tensor())
    return checkpoint(p.end(list_of(*[t] * 250_000))), None


@file
def one_tensor_under_many_names():
    p = Pickle()
    t = p.keep(tensor(storage(numel=0), (0,) + (2**61,) * 30, (1,) * 31))
    return checkpoint(p.end(entries(*[(text('%x' % i), t) for i in range(60_000)])), b''), None


@file
def one_array_in_many_places():
    p = Pickle()
    dtype = name('numpy', 'dtype') + tuple_of(text('f8'), b'\x89', b'\x88') + b'R' + tuple_of(b'K\3', text('<'), b'N', b'N', b'N', number(-1), number(-1), b'K\0') + b'b'
    a = p.keep(name('numpy.core.multiarray', '_reconstruct') + name('numpy', 'ndarray') + b'K\0\x85' + text('b') + b'\x87R(K\1K\1\x85' + dtype + b'\x89' + text('x' * 8) + b'tb')
    return checkpoint(p.end(list_of(*[a] * 250_000))), None


@file
def views_of_one_storage(): return views(20_000, 30_000, (10_000,), 1, ONE * 30_000), None


@file
def small_views_of_a_deflated_storage_from_its_end(): return views(3_000, 25 << 20, (1,), -5_000, 100 << 20), None


@file
def small_views_of_a_deflated_storage_from_its_start(): return views(3_000, 25 << 20, (1,), 5_000, 100 << 20), None


@file
def large_views_of_a_deflated_storage(): return views(100, 25 << 20, (1 << 20,), 150_000, 100 << 20), None


@file
def a_deflated_pickle():
    pickle = P + b'](' + b'N' * 20_000_000 + b'e.'
    return deflated(pickle, 16, True), None


@file
def a_deflated_pickle_of_one_tensor():
    p = Pickle()
    t = p.keep(tensor())
    pickle = p.end(list_of(*[t] * 3_000_000))
    return deflated(pickle, 4, True), None


@file
def pairs_of_texts_as_classes():
    p = Pickle()
    modules, names = [p.keep(text('m' * 200 + '%x' % i)) for i in range(250)], []
    for i in range(350): names.append(p.keep(text('n' * 200 + '%x' % i)))
    return checkpoint(b'\x80\x04' + p.end(b'](' + b''.join(m + n + b'\x93' for m in modules for n in names) + b'e')[2:]), None


@file
def one_source_of_many_classes():
    p = Pickle()
    source, where, word = p.keep(text('#' + 's' * LONG)), p.keep(text('f' * 1000)), p.keep(text('module'))
    pickle = p.end(list_of(*[tuple_of(word, name('m', 'M%x' % i), where, source) + b'Q' for i in range(12_000)]))
    return legacy(pickle), None


@file
def one_source_of_many_lines_of_many_classes():
    p = Pickle()
    source, where, word = p.keep(text('\n' * LONG)), p.keep(text('f' * 1000)), p.keep(text('module'))
    pickle = p.end(list_of(*[tuple_of(word, name('m', 'M%x' % i), where, source) + b'Q' for i in range(12_000)]))
    return legacy(pickle), None


@file
def one_source_of_many_classes_with_one_name():
    p = Pickle()
    source, where, word, cls = p.keep(text('#' + 's' * 10)), p.keep(text('f' * LONG)), p.keep(text('module')), p.keep(name('m', 'M' * 30_000))
    pickle = p.end(list_of(*[tuple_of(word, cls, where, source) + b'Q' for i in range(30_000)]))
    return legacy(pickle), None


@file
def many_views_of_one_legacy_storage():
    p = Pickle()
    call, hooks, word, cls = p.keep(name('torch._utils', '_rebuild_tensor_v2')), p.keep(HOOKS), p.keep(text('storage')), p.keep(name('torch', 'FloatStorage'))
    root, cpu, one = p.keep(text('r' * 1000)), p.keep(text('cpu')), p.keep(b'K\1\x85')
    t = lambda i: call + b'((' + word + cls + root + cpu + b'M\xe8\3(' + text('%x' % i) + number(i % 900) + b'K\1ttQK\0' + one + one + b'\x89' + hooks + b'tR'
    pickle = p.end(list_of(*[t(i) for i in range(12_000)]))
    return legacy(pickle, ['r' * 1000], struct.pack('<q', 1000) + ONE * 1000), None


@file
def many_storages():
    p = Pickle()
    call, hooks, word, cls, cpu, one = p.keep(name('torch._utils', '_rebuild_tensor_v2')), p.keep(HOOKS), p.keep(text('storage')), p.keep(name('torch', 'FloatStorage')), p.keep(text('cpu')), p.keep(b'K\1\x85')
    t = lambda i: call + b'((' + word + cls + text('%d' % i) + cpu + b'K\1tQK\0' + one + one + b'\x89' + hooks + b'tR'
    return checkpoint(p.end(entries(*[(text('%x' % i), t(i)) for i in range(4_000)])), *[ONE] * 4_000), None


@file
def many_legacy_storages():
    p = Pickle()
    call, hooks, word, cls, cpu, one = p.keep(name('torch._utils', '_rebuild_tensor_v2')), p.keep(HOOKS), p.keep(text('storage')), p.keep(name('torch', 'FloatStorage')), p.keep(text('cpu')), p.keep(b'K\1\x85')
    t = lambda i: call + b'((' + word + cls + text('%d' % i) + cpu + b'K\1NtQK\0' + one + one + b'\x89' + hooks + b'tR'
    pickle = p.end(entries(*[(text('%x' % i), t(i)) for i in range(15_000)]))
    return legacy(pickle, map(str, range(15_000)), (struct.pack('<q', 1) + ONE) * 15_000), None


@file
def views_of_other_dtypes_of_one_storage():
    p = Pickle()
    call, hooks, one = p.keep(name('torch._utils', '_rebuild_tensor_v3')), p.keep(HOOKS), p.keep(b'K\1\x85')
    of = p.keep(tuple_of(text('storage'), name('torch.storage', 'UntypedStorage'), text('0'), text('cpu'), number(200_000)) + b'Q')
    dtypes = [p.keep(name('torch', d)) for d in ('float32', 'float64', 'bfloat16', 'int8', 'uint16')]
    t = lambda i: call + b'(' + of + number(i) + number(20_000) + b'\x85' + one + b'\x89' + hooks + dtypes[i % 5] + b'tR'
    return checkpoint(p.end(entries(*[(text('%x' % i), t(i)) for i in range(5_000)])), bytes(200_000)), None


@file
def many_values_left_out():
    p = Pickle()
    t, key = p.keep(tensor()), p.keep(text('k' * LONG))
    inner = b'}' + key + b'}' + key + t + b'ss'
    return checkpoint(p.end(entries((text('model'), entries((text('w'), t))), *[(text('%x' % i), inner) for i in range(25_000)]))), None


@file
def many_notes():
    p = Pickle()
    key = p.keep(text('k' * LONG))
    return checkpoint(p.end(list_of(*[b'}(' + key + b'N' + key + b'Nu'] * 60_000))), None


@file
def one_long_attribute_name_of_many_objects():
    p = Pickle()
    key, cls = p.keep(text('k' * LONG)), p.keep(name('m' * 1000, 'M' * 1000))
    return checkpoint(p.end(list_of(*[cls + b')R}' + key + b'Nsb'] * 50_000))), None


@file
def deep_dicts_under_a_long_key():
    p = Pickle()
    key, t = p.keep(text('k' * LONG)), p.keep(tensor())
    return checkpoint(p.end((b'}' + key) * 40_000 + t + b's' * 40_000)), None


@file
def deep_dicts_under_a_tuple_key():
    p = Pickle()
    key, t = p.keep(tuple_of(*[text('k' * 1000)] * 300)), p.keep(tensor())
    return checkpoint(p.end((b'}' + key + t + b'sK\0' if False else b'}' + key) * 40_000 + t + b's' * 40_000)), None


@file
def many_dicts_under_a_tuple_key_of_long_texts():
    p = Pickle()
    part = p.keep(text('k' * LONG))
    key = p.keep(tuple_of(*[part] * 1_000))
    return checkpoint(p.end(list_of(*[b'}' + key + b'Ns'] * 60_000))), None


@file
def many_frozensets_of_tuples():
    p = Pickle()
    part = p.keep(text('k' * LONG))
    made = p.keep(name('builtins', 'frozenset'))
    return checkpoint(p.end(b'}(' + b''.join(made + b'](' + part + number(i) + b'e\x85RN' for i in range(40_000)) + b'u')), None


@file
def many_counters_of_one_list():
    p = Pickle()
    made, args = p.keep(name('collections', 'Counter')), p.keep(list_of(*[number(i) for i in range(60_000)]) + b'\x85')
    return checkpoint(p.end(list_of(*[made + args + b'R'] * 60_000))), None


@file
def many_sets_of_one_list():
    p = Pickle()
    made, args = p.keep(name('builtins', 'set')), p.keep(list_of(*[number(i) for i in range(60_000)]) + b'\x85')
    return checkpoint(p.end(list_of(*[made + args + b'R'] * 60_000))), None


@file
def many_lists_of_one_tuple():
    p = Pickle()
    made, args = p.keep(name('builtins', 'list')), p.keep(b'(' + b'N' * 200_000 + b't\x85')
    return checkpoint(p.end(list_of(*[made + args + b'R'] * 60_000))), None


@file
def many_deques_of_one_list():
    p = Pickle()
    made, args = p.keep(name('collections', 'deque')), p.keep(list_of(b'N' * 200_000) + b'K\5\x86')
    return checkpoint(p.end(list_of(*[made + args + b'R'] * 60_000))), None


@file
def many_encoded_bytes_of_one_text():
    p = Pickle()
    made, args = p.keep(name('_codecs', 'encode')), p.keep(text('\xe9' * (LONG // 2)) + text('latin1') + b'\x86')
    return checkpoint(p.end(list_of(*[made + args + b'R'] * 80_000))), None


@file
def many_bytearrays_of_one_text():
    p = Pickle()
    made, args = p.keep(name('builtins', 'bytearray')), p.keep(text('\xe9' * (LONG // 2)) + text('latin-1') + b'\x86')
    return checkpoint(p.end(list_of(*[made + args + b'R'] * 80_000))), None


@file
def many_tensors_of_one_metadata():
    p = Pickle()
    call, hooks, of, one = p.keep(name('torch._utils', '_rebuild_tensor_v2')), p.keep(HOOKS), p.keep(storage()), p.keep(b'K\1\x85')
    metadata = p.keep(entries(*[(text('%x' % i), b'N') for i in range(40_000)]))
    t = call + b'(' + of + b'K\0' + one + one + b'\x89' + hooks + metadata + b'tR'
    return checkpoint(p.end(list_of(*[t] * 20_000))), None


@file
def many_tensors_of_one_hooks():
    p = Pickle()
    call, of, one = p.keep(name('torch._utils', '_rebuild_tensor_v2')), p.keep(storage()), p.keep(b'K\1\x85')
    hooks = p.keep(name('collections', 'OrderedDict') + b')R(' + b''.join(text('%x' % i) + b'N' for i in range(40_000)) + b'u')
    t = call + b'(' + of + b'K\0' + one + one + b'\x89' + hooks + b'tR'
    return checkpoint(p.end(list_of(*[t] * 20_000))), None


@file
def many_scalars_of_one_text():
    p = Pickle()
    call, data = p.keep(name('numpy.core.multiarray', 'scalar')), p.keep(text('x' * LONG))
    dtype = p.keep(name('numpy', 'dtype') + tuple_of(text('V%d' % LONG), b'\x89', b'\x88') + b'R' + tuple_of(b'K\3', text('|'), b'N', b'N', b'N', number(LONG), number(1), b'K\0') + b'b')
    return checkpoint(p.end(list_of(*[call + dtype + data + b'\x86R'] * 60_000))), None


@file
def object_arrays_of_one_list():
    p = Pickle()
    call, cls = p.keep(name('numpy.core.multiarray', '_reconstruct')), p.keep(name('numpy', 'ndarray'))
    dtype = p.keep(name('numpy', 'dtype') + tuple_of(text('O8'), b'\x89', b'\x88') + b'R' + tuple_of(b'K\3', text('|'), b'N', b'N', b'N', number(-1), number(-1), b'K\x3f') + b'b')
    args, shape, data = p.keep(cls + b'K\0\x85' + text('b') + b'\x87'), p.keep(number(60_000) + b'\x85'), p.keep(list_of(b'N' * 60_000))
    return checkpoint(p.end(list_of(*[call + args + b'R(K\1' + shape + dtype + b'\x89' + data + b'tb'] * 20_000))), None


@file
def long_unicode_escapes(): return checkpoint(P + b'](' + (b'V' + b'\\u0041' * 50_000 + b'\n') * 3 + b'e.'), None


@file
def long_digits(): return checkpoint(P + b'L' + b'9' * 800_000 + b'L\n.'), None


@file
def long_digits_of_a_float(): return checkpoint(P + b'](' + (b'F' + b'9' * 300 + b'.' + b'9' * 20_000 + b'\n') * 40 + b'e.'), None


@file
def keys_of_nan():
    p = Pickle()
    nan = p.keep(b'G\x7f\xf8' + bytes(6))
    return checkpoint(p.end(b'}(' + (b'G\x7f\xf8' + bytes(6) + b'N') * 40_000 + (nan + b'N') * 100_000 + b'u')), None


@file
def parameters_of_parameters():
    p = Pickle()
    call, hooks = p.keep(name('torch._utils', '_rebuild_parameter')), p.keep(HOOKS)
    return checkpoint(p.end((call + b'(') * 60_000 + tensor() + (b'\x89' + hooks + b'tR') * 60_000)), None


@file
def wrapped_types_deep():
    p = Pickle()
    call, cls, state, func = p.keep(name('torch._tensor', '_rebuild_from_type_v2')), p.keep(name('m', 'M')), p.keep(b'}' + text('k' * LONG) + b'Ns'), p.keep(name('torch._utils', '_rebuild_parameter'))
    n = 20_000
    hooks = p.keep(HOOKS)
    return checkpoint(p.end((call + b'(' + func + cls + b'(') * 0 + list_of(*[call + b'(' + func + cls + b'(' + tensor() .replace(HOOKS, hooks)+ b'\x89' + hooks + b't' + state + b'tR'] * 3_000))), None


if __name__ == '__main__':
    for file_name, make in FILES.items():
        for end, data in zip(('', '.second'), make()):
            if data is None: continue
            with open(os.path.join(sys.argv[1], file_name + end), 'wb') as out: out.write(data)
