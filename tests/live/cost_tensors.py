# SPDX-License-Identifier: MIT
"""State dicts, tensors and their bytes: what is named once and used as often as can be. See cost_files.py."""
import random

from cost_pickles import *


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
def views_of_nearly_all_of_a_deflated_storage(): return views(200, 32 << 20, ((32 << 20) - 200,), 1, 128 << 20), None


@file
def views_of_nearly_all_of_a_storage():
    noise = random.Random(0)
    return tuple(views(10_000, 60_000, (50_000,), 1, noise.randbytes(240_000)) for _ in range(2))


@file
def an_array_of_empty_texts():
    dtype = name('numpy', 'dtype') + tuple_of(text('S0'), b'\x89', b'\x88') + b'R' + tuple_of(number(3), text('|'), b'N', b'N', b'N', number(0), number(1), number(0)) + b'b'
    shape = tuple_of(*[number(1 << 20)] * 3)
    array = name('numpy.core.multiarray', '_reconstruct') + tuple_of(name('numpy', 'ndarray'), tuple_of(number(0)), b'C\x01b') + b'R' + tuple_of(number(1), shape, dtype, b'\x89', b'C\0') + b'b'
    return checkpoint(b'\x80\x04}(' + text('w') + tensor() + text('a') + array + b'u.'), None


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
