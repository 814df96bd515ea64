# SPDX-License-Identifier: MIT
"""Texts, keys and containers that are named once and used as often as can be. See cost_files.py."""
from cost_pickles import *


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
