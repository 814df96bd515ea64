# SPDX-License-Identifier: MIT
"""Whole models that name a thing once and refer to it as often as they can: their names, and their text. See cost_files.py."""
from cost_pickles import *


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
