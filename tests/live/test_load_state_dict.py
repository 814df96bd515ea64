#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""load_state_dict against PyTorch's own: text of the result or error, and every byte of the model's memory: test_load_state_dict.py BRINE

Each case of the files load_state_dict_*.py runs with the module tree described and, where names tell enough, without. The program
load_state_dict_check of the build that holds BRINE does brine's part. Further checks run `brine match` and `brine diff`.
"""
import inspect
import itertools
import os
import subprocess
import sys
import tempfile
import warnings

import common

try:
    import torch
except ImportError:
    print('skipped: test_load_state_dict: no torch')
    sys.exit(77)
import torch.nn as nn

from torch.nn.parameter import is_lazy

import load_state_dict_cases as cases
import load_state_dict_hooks  # these add their own to cases.CASES
import load_state_dict_targets
import load_state_dict_values  # noqa: F401

KINDS = {'plain': 0, 'batch_norm': 1, 'instance_norm': 2, 'none': 3}


def hexed(text):
    return ':' + (text if isinstance(text, bytes) else text.encode('utf-8', 'surrogatepass')).hex()


def unhexed(text):
    return bytes.fromhex(text[1:])


def storage_of(t):
    """Address and bytes of the tensor's storage."""
    s = t.untyped_storage() if hasattr(t, 'untyped_storage') else t.storage()     # 1.13 has typed ones
    return s.data_ptr(), s.nbytes()


def raw(address, size):
    import ctypes
    return ctypes.string_at(address, size) if size else b''


def numbers(values):
    return ','.join(map(str, values)) or '-'


class Memory:
    """The model's storages, one after the other."""
    def __init__(self, model):
        self.at, self.total, self.kept = {}, 0, []
        for t in itertools.chain(model.parameters(), model.buffers()):
            if is_lazy(t) or t.is_meta or not t.numel(): continue
            address, size = storage_of(t)
            if address in self.at: continue
            self.kept.append(t)             # also when the model is given another in its place
            self.at[address] = (self.total, size)
            self.total += (size + 63) // 64 * 64

    def holds(self, t):
        return t.numel() == 0 or storage_of(t)[0] in self.at

    def bytes(self):
        out = bytearray(self.total)
        for address, (at, size) in self.at.items(): out[at:at + size] = raw(address, size)
        return bytes(out)


def kind_of(module):
    if isinstance(module, nn.modules.instancenorm._InstanceNorm): return 'instance_norm'
    return 'batch_norm' if isinstance(module, nn.modules.batchnorm._NormBase) else 'plain'


def hooks_of(module):
    """The load pre-hooks that brine knows: a word of the description and its arguments."""
    for hook in module._load_state_dict_pre_hooks.values():
        hook = getattr(hook, 'hook', hook)
        if isinstance(hook, nn.utils.spectral_norm.__globals__['SpectralNormLoadStateDictPreHook']):
            yield 'spectral_norm', f'{hexed(hook.fn.name)} {hook.fn.dim}'
        elif getattr(hook, '__name__', '') == '_weight_norm_compat_hook':
            yield 'weight_norm', hexed(inspect.getclosurevars(hook).nonlocals['name'])


def describe_module(module, name):
    kind = kind_of(module)
    track = '-' if kind == 'plain' else str(int(module.track_running_stats))
    extra = int(type(module).set_extra_state is not nn.Module.set_extra_state)
    return [f'module {hexed(name)} {KINDS[kind]} {track} {extra} {hexed(type(module).__name__)}',
            *(f'{word} {hexed(name)} {arguments}' for word, arguments in hooks_of(module))]


def describe_entry(name, t, buffer, persistent, memory):
    at = size = 0
    word, stride, shape = 'memory', '-', '-'
    if is_lazy(t): word = 'lazy'
    else:
        if t.is_meta: word = 'meta'
        elif t.numel():
            start, whole = memory.at[storage_of(t)[0]]
            at = start + t.storage_offset() * t.element_size()
            size = t.numel() * t.element_size() if t.is_contiguous() else whole - t.storage_offset() * t.element_size()
        if not t.is_contiguous(): stride = numbers(t.stride())
        shape = numbers(t.shape)
    dtype = str(t.data.dtype if is_lazy(t) else t.dtype).split('.')[1]
    return f'{word} {hexed(name)} {dtype} {shape} {stride} {at} {size} {int(t.requires_grad)} {int(buffer)} {int(persistent)}'


def describe(model, memory, with_modules):
    out, seen = [], {}
    def walk(module, name):
        if with_modules and id(module) in seen: return out.append(f'alias {hexed(name)} {hexed(seen[id(module)])}')
        seen[id(module)] = name
        prefix = name + '.' if name else ''
        if with_modules: out.extend(describe_module(module, name))
        # Buffers first: that parameters come before them is brine's to know.
        for buffer, tensors in ((True, module._buffers), (False, module._parameters)):
            for key, t in tensors.items():
                if t is not None: out.append(describe_entry(prefix + key, t, buffer, key not in module._non_persistent_buffers_set, memory))
        for key, child in module._modules.items():
            if child is not None: walk(child, prefix + key)
            elif with_modules: out.append(f'module {hexed(prefix + key)} {KINDS["none"]} - 0 :')
    walk(model, '')
    return out


def elements(t):
    t = t.detach()
    if t.is_conj(): t = t.resolve_conj()
    if hasattr(t, 'is_neg') and t.is_neg(): t = t.resolve_neg()
    t = t.contiguous()
    return raw(t.data_ptr(), t.numel() * t.element_size())


def named_tensors(module, prefix=''):
    """Under every name, also of what is shared."""
    for key, t in itertools.chain(module._parameters.items(), module._buffers.items()):
        if t is not None: yield prefix + key, t
    for key, child in module._modules.items():
        if child is not None: yield from named_tensors(child, prefix + key + '.')


def tensor_line(t):
    return f'{str(t.dtype).split(".")[1]} {numbers(t.shape)} {numbers(t.stride())} {hexed(elements(t))}'


def pytorch(case, model, state):
    """Text of the result or error."""
    options = {'assign': True} if case.assign else {}
    if case.skip:
        own = model.state_dict()
        skipped = [k for k in state if k in own and state[k].shape != own[k].shape]
        for k in skipped: state[k] = own[k]
    try:
        return True, repr(model.load_state_dict(state, strict=case.strict, **options))
    except (RuntimeError, AttributeError) as e:
        return False, str(e)


def close(dtype, a, b):
    """Are these the bytes of numbers that are nearly equal? NaN is equal to NaN."""
    numbers = [torch.frombuffer(bytearray(x), dtype=dtype) for x in (a, b)]
    return torch.allclose(*numbers, rtol=1e-3, atol=1e-5, equal_nan=True)


def close_lines(dtype, a, b):
    a, b = (a or '').rsplit(' ', 1), b.rsplit(' ', 1)
    return a[0] == b[0] and close(dtype, unhexed(a[1]), unhexed(b[1]))


def run_case(program, case, folder, described):
    """None, or what differs."""
    path = lambda name: os.path.join(folder, name)
    model, state = case.make()
    torch.save(state, path('weights.pth'))
    state = torch.load(path('weights.pth'), **cases.WHOLE)
    memory = Memory(model)
    before = memory.bytes()
    lines = describe(model, memory, described)
    lines.append(f'options {int(case.strict)} {int(case.assign)} {int(case.skip)} {int(case.validate)} {hexed(type(model).__name__)}')
    for name, data in (('description', '\n'.join(lines).encode() + b'\n'), ('memory', before)):
        with open(path(name), 'wb') as f: f.write(data)
    were_lazy = {name for name, t in named_tensors(model) if is_lazy(t)}
    good, want = pytorch(case, model, state)
    files = [path(name) for name in ('description', 'memory', 'weights.pth', 'out')]
    p = subprocess.run([program, *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode != 0: return f'status {p.returncode}: {p.stderr.decode(errors="replace")[:300]}'
    got, *assigned = p.stdout.decode().splitlines()
    got = unhexed(got).decode('utf-8', 'surrogatepass')
    if got != want:
        lines = next((pair for pair in itertools.zip_longest(got.split('\n'), want.split('\n')) if pair[0] != pair[1]))
        return f'\n  brine:   {lines[0]!r}\n  PyTorch: {lines[1]!r}'
    with open(path('out'), 'rb') as f: after = f.read()
    expected = before if case.validate and not good else memory.bytes()
    if after != expected and not (case.close and close(case.close, after, expected)):
        at = next(i for i in range(len(after)) if after[i] != expected[i])
        return f'memory differs at byte {at} of {len(after)}: {after[at:at + 16].hex()}, expected {expected[at:at + 16].hex()}'
    got = {unhexed(line.split(' ', 1)[0]).decode(): line.split(' ', 1)[1] for line in assigned}
    for name, t in named_tensors(model):
        if is_lazy(t) or t.is_meta or memory.holds(t):
            if name in got and (is_lazy(t) or t.numel()): return f'{name} is assigned without being asked'
        elif name in got or name not in were_lazy or good:      # PyTorch makes tensors, of any numbers, for lazy ones it refuses to copy to
            line = tensor_line(t)
            if got.get(name) != line and not (case.close and close_lines(case.close, got.get(name), line)):
                return f'{name} is {got.get(name)}, expected {line}'
    return None


def check_commands(brine, folder, tally):
    save = lambda name, value: (torch.save(value, os.path.join(folder, name)), os.path.join(folder, name))[1]
    model, state = cases.pair()
    whole, weights = save('whole.pth', model), save('weights.pth', state)
    prefixed = save('prefixed.pth', cases.renamed(state, lambda k: 'module.' + k))
    typo = save('typo.pth', cases.renamed(state, lambda k: k.replace('bn.weight', 'bn.wieght')))
    wrong = cases.edited(body__0__weight=torch.ones(3, 4))[1]
    wrong_file = save('wrong.pth', wrong)

    def expect(what, args, status, *texts):
        r = common.run(brine, *args)
        missing = [t for t in texts if t not in r.text()]
        right = r.status == status and not missing
        tally.check(what, None if right else f'status {r.status}, expected {status}; not there: {missing}: {r.text()[:400]}{r.error()}')

    expect('match: whole and weights', ['match', whole, weights], 0, '<All keys matched successfully>', '10 of 10 entries would be loaded')
    expect('match: weights and whole', ['match', weights, whole], 0, '<All keys matched successfully>')
    expect('match: prefix', ['match', whole, prefixed], 1, "Error(s) in loading state_dict for Sequential:",
           'Missing key(s) in state_dict: "conv.weight", ',
           "carry the prefix 'module.': 10 missing keys")
    expect('match: prefix, not strict', ['match', whole, prefixed, '--no-strict'], 0, '_IncompatibleKeys(missing_keys=[', '0 of 10 entries')
    expect('match: prefix lost', ['match', prefixed, weights], 1, "lack the prefix 'module.': 9 missing keys")
    expect('match: typo', ['match', whole, typo], 1, "'bn.weight' is missing: did you mean 'bn.wieght'?")
    expect('match: size', ['match', whole, wrong_file, '--no-strict'], 1,
           'size mismatch for body.0.weight: copying a param with shape torch.Size([3, 4]) from checkpoint')
    expect('match: no such file', ['match', whole, whole + 'x'], 1)
    expect('match: usage', ['match', whole], 2)
    def same_text(what, model, weights):
        """A model that was saved whole tells more than its names do."""
        files = save('model.pth', model), save('given.pth', weights)
        for strict in (True, False):
            try: text = repr(torch.load(files[0], **cases.WHOLE).load_state_dict(weights, strict=strict))
            except RuntimeError as e: text = str(e)
            r = common.run(brine, 'match', *files, *([] if strict else ['--no-strict']))
            shown = ''.join(line.replace('\t', '    ', 1) + '\n' for line in text.split('\n'))
            problem = None if r.text().startswith(shown) else f'{r.text()[:300]}{r.error()}, expected {shown[:300]}'
            tally.check(f"match: PyTorch's text, {what}, strict={strict}", problem)

    same_text('prefix', model, torch.load(prefixed))
    same_text('InstanceNorm of 0.3', *cases.instance_norm(False, nn.InstanceNorm2d, ('running_mean', 'running_var'), True))
    norms = lambda: nn.Sequential(nn.BatchNorm2d(3), nn.InstanceNorm1d(2, track_running_stats=True))
    same_text('no counter', *cases.without_counter(norms, 'none'))
    same_text('children that are None', cases.WithNone(), {k: torch.ones(3) for k in ('w', 'e.x', 'd.x', 'hidden')})
    same_text('lazy', *load_state_dict_targets.lazy(conv__bias=None, body__1__bias=torch.ones(3)))
    same_text('shared and lazy', *load_state_dict_targets.shared_lazy_modules())
    same_text('order', cases.Late(), {'zz': torch.ones(1)})
    for wanted in ('weight_u', 'weight_orig', 'bias'):
        model_of_today, _, weights_of_old = load_state_dict_hooks.spectral()
        del weights_of_old['n.' + wanted]
        same_text(f'old spectral_norm without {wanted}', model_of_today, weights_of_old)
    same_text('old spectral_norm', load_state_dict_hooks.spectral()[0], load_state_dict_hooks.spectral()[2])
    same_text('old spectral_norm, transposed', *load_state_dict_hooks.spectral(lambda: nn.ConvTranspose2d(2, 9, 2))[::2])

    other = type(state)((k, v.clone()) for k, v in state.items())
    other._metadata = state._metadata
    same = save('same.pth', other)
    other['body.0.bias'][1] += 0.5
    other['bn.bias'] = other['bn.bias'].half()
    other['bn.weight'] = torch.ones(7)
    del other['body.1.bias']
    other['new'] = torch.ones(1)
    changed = save('changed.pth', other)
    both = save('both.pth', {'a': state, 'b': other})
    expect('diff: a file and itself', ['diff', weights, weights], 0, '10 names in both: equal')
    expect('diff: equal', ['diff', weights, same], 0, 'equal')
    expect('diff: whole and weights', ['diff', whole, whole], 0, 'equal')
    lines = ('- body.1.bias  float32 [2]', '+ new  float32 [1]', '~ body.0.bias  largest difference 0.5, 1 of 5 elements',
             '~ bn.bias  float32 -> float16  the same values', '~ bn.weight  [4] -> [7]',
             '3 differ; 1 only in the first, 1 only in the second')
    expect('diff: changed', ['diff', weights, changed], 1, *lines)
    expect('diff: places', ['diff', both, both, '--at-a', 'a', '--at-b', 'b'], 1, *lines)
    expect('diff: names', ['diff', weights, changed, '--names'], 1, '2 differ')
    expect('diff: tolerance', ['diff', weights, changed, '--tolerance', '0.5'], 1, '2 differ')
    expect('diff: no such file', ['diff', weights, weights + 'x'], 1)
    expect('diff: usage', ['diff', weights], 2)


def main():
    warnings.simplefilter('ignore')
    brine = common.command()
    program = common.built(brine, 'load_state_dict_check')
    tally = common.Tally()
    only = sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        for case in cases.CASES:
            if only and not any(o in case.name for o in only): continue
            if case.modern and not cases.MODERN:
                tally.skip(case.name, f'PyTorch {torch.__version__}: {case.modern}')
                continue
            for described in (True,) if case.tree else (True, False):
                what = case.name + ('' if described else ', tree inferred')
                try: tally.check(what, run_case(program, case, folder, described))
                except Exception as e: tally.fail(what, f'{type(e).__name__}: {e}')
        if not only: check_commands(brine, folder, tally)
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
