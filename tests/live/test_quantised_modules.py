# SPDX-License-Identifier: MIT
"""test_quantised_modules.py BRINE [NAME…]: quantised, pruned and sparse models give the state dict that PyTorch's own state_dict() gives.

Each model is saved whole, and its state dict, as zip and as legacy stream. `brine ls --json --crc` must list of both the names, order, shapes and values of the
tensors of model.state_dict(), and the names of its other values; kinds_check must tell the same of every tensor, and of those in the other values, as Python
does: quantisation, integers, parts, dequantised and dense elements bit for bit. What `brine convert --state-dict` writes must be the bytes that
torch.save(model.state_dict()) writes, `_metadata` included — or, of the kinds in EQUAL, load to an equal state dict. The model that was saved is the judge:
of a quantised convolution PyTorch loads an object that has no state_dict(), and of a graph one that has lost the hook which adds its packed weights.
Those of quantised_modules.py go through every engine, the others through the last. NAME: only kinds whose names contain it.
"""
import os
import pickle
import sys
import tempfile
import traceback
import warnings

import torch

from common import Tally, built, command, run
from quantised_modules import KINDS, REFUSED, VERSION, VISION
from quantised_recipes import RECIPES
from sparse_modules import PRUNED, SPARSE
from test_modules import PROFILE, crc, module_in
from test_tensor_kinds import first_difference, run_check, told

try: import torchvision
except ImportError: torchvision = None

# Under two names a packed weight is unpacked twice: two tensors, or one, as the engine likes; in the file it is one.
EQUAL = {'shared'}
LOADS = {} if VERSION < (2, 0) else {'weights_only': False}


def is_plain(value): return isinstance(value, torch.Tensor)


def known(text): return text if VERSION >= (2, 1) else text.replace(' coalesced', '')  # before, a file does not say it


def tensors_in(value):
    if isinstance(value, torch.Tensor): return [value]
    if isinstance(value, torch._C.ScriptObject): return tensors_in(value.__getstate__())
    return [t for v in value for t in tensors_in(v)] if isinstance(value, (list, tuple)) else []


def lines_of(state):
    """As `kinds_check state` prints them."""
    tensors = [(n, t) for n, t in state.items() if is_plain(t)] + [(n, t) for n, v in state.items() if not is_plain(v) for t in tensors_in(v)]
    return [known(f'{n}\t{told(t)}') for n, t in tensors]


def is_of_a_kind(state):
    """Quantised, sparse or pruned, and not only what prepares for it."""
    return any(t.is_quantized or t.layout != torch.strided for v in state.values() for t in tensors_in(v)) or any(n.endswith(('_mask', '.mask')) for n in state)


def plain(value):
    """What can be compared of a value of a state dict."""
    if isinstance(value, torch.Tensor):
        return type(value).__name__, value.stride() if value.layout == torch.strided else None, known(told(value))
    if isinstance(value, (list, tuple)): return type(value), [plain(v) for v in value]
    if isinstance(value, torch._C.ScriptObject): return plain(value.__getstate__())
    return value


def state_difference(want, got):
    if list(want) != list(got): return f'names are {list(got)[:6]}, expected {list(want)[:6]}'
    if want._metadata != got._metadata: return f'_metadata is {got._metadata}, expected {want._metadata}'
    return next((f'{name!r} differs: {plain(got[name])}, expected {plain(want[name])}'[:500] for name in want if plain(want[name]) != plain(got[name])), None)


def listing_differs(brine, path, state):
    r = run(brine, 'ls', '--json', '--crc', path)
    if r.status != 0: return r.error().strip()[:200]
    got = r.json()
    facts = lambda t: (list(t.stride()), 'strided') if t.layout == torch.strided else (None, str(t.layout)[6:])
    want = [(n, str(t.dtype).replace('torch.', ''), list(t.shape), *facts(t), crc(t)) for n, t in state.items() if is_plain(t)]
    have = [(t['name'], t['dtype'], t['shape'], t.get('stride'), t.get('layout', 'strided'), t['crc32']) for t in got['tensors']]
    if want != have: return f'lists {[h for h in have if h not in want][:2]}, PyTorch has {[w for w in want if w not in have][:2]}'
    others = [n for n, t in state.items() if not is_plain(t)]
    if others != got.get('others', []): return f'other values are {got.get("others")}, PyTorch has {others}'
    return [n for n in got.get('notes', []) if n['code'] != 'part_of_file'] or None  # biases beside packed weights are attributes


def check(brine, label, whole, weights, state, loads):
    want, program = lines_of(state), built(brine, 'kinds_check')
    for path in (whole, weights) if whole else (weights,):
        why = listing_differs(brine, path, state) or first_difference(want, [known(line) for line in run_check(program, 'state', path)])
        if why: return f'{why}, {"of the model" if path == whole else "of its state dict"}'
    ours = os.path.join(os.path.dirname(weights), 'ours', os.path.basename(weights))
    r = run(brine, 'convert', '--state-dict', '--profile', PROFILE, '--force', whole or weights, ours)
    if r.status != 0: return r.error().strip()[:200]
    why = state_difference(state, torch.load(ours, **LOADS))
    if why: return why
    if whole and run(brine, 'match', whole, ours).status != (0 if loads else 1): return f'match: PyTorch {"loads" if loads else "does not load"} it'
    if label.split()[0] in EQUAL: return None
    a, b = open(weights, 'rb').read(), open(ours, 'rb').read()
    return None if a == b else f'convert --state-dict: {len(b)} bytes, torch.save wrote {len(a)}'


def saved(tally, folder, engine, name, make):
    """(label, whole, weights, state, does PyTorch load it back?) for each container."""
    torch.manual_seed(0)
    try:
        model = make()
    except Exception as e:
        return tally.skip(f'{name} {engine}', f'cannot be made here: {str(e).splitlines()[0][:100]}')
    for container in ('zip', 'legacy'):
        whole, weights = (os.path.join(folder, f'{name}_{engine}_{container}{end}.pth') for end in ('_whole', ''))
        try:
            state = module_in(model).state_dict()
            torch.save(state, weights)
        except Exception as e:
            tally.skip(f'{name} {engine} {container}', f'PyTorch does not save it: {str(e).splitlines()[0][:100]}')
            continue
        try:
            torch.save(model, whole, _use_new_zipfile_serialization=container == 'zip')
        except Exception as e:
            tally.skip(f'{name} {engine} {container}, whole', f'PyTorch does not save it: {str(e).splitlines()[0][:100]}')
            whole = None
        # From the file into a model of its own: what an embedding unpacks is a view of memory that a load frees.
        torch.manual_seed(0)  # else other places of a sparse one are zero, and it refuses these
        try: module_in(make()).load_state_dict(torch.load(weights, **LOADS))
        except Exception: yield f'{name} {engine} {container}', whole, weights, state, False
        else: yield f'{name} {engine} {container}', whole, weights, state, True


class Findings(list):
    """What a Tally is told, to be told it later."""
    def skip(self, label, why): self.append(('skip', label, why))
    def check(self, label, why): self.append(('check', label, why))


def of_child(work):
    """What work() returns, in a process of its own; None when PyTorch crashes there: what some engines unpack is a view of memory that is gone."""
    sys.stdout.flush()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(read)
            with os.fdopen(write, 'wb') as out: pickle.dump(list(work()), out)
            status = 0
        except Exception: traceback.print_exc()
        finally: os._exit(status)
    os.close(write)
    with os.fdopen(read, 'rb') as found: bytes_ = found.read()
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status): return None
    return pickle.loads(bytes_) if status == 0 else [('check', 'a test process', f'exit status {os.WEXITSTATUS(status)}')]


def findings(brine, folder, engine, name, make):
    found = Findings()
    torch.set_num_threads(1)
    torch.backends.quantized.engine = engine
    for label, whole, weights, state, loads in saved(found, folder, engine, name, make) or ():
        if name in REFUSED:
            r = run(brine, 'ls', whole)
            found.check(label, r.refused() or (None if r.kind() == 'unsupported' and 'in a form of its own' in r.error() else r.error()))
        else:
            found.check(label, check(brine, label, whole, weights, state, loads))
            if is_of_a_kind(state): found.append(('covers', name, ''))
    return found


def main():
    brine, tally = command(), Tally()
    warnings.simplefilter('ignore')
    wanted = sys.argv[2:] or ['']
    if not torchvision: tally.skip('torchvision', 'not installed')

    engines, covered = [e for e in torch.backends.quantized.supported_engines if e != 'none'], set()
    for i, engine in enumerate(engines):
        more = {**RECIPES, **PRUNED, **SPARSE} if engine == engines[-1] else {}
        for name, make in {**KINDS, **REFUSED, **(VISION if i == 0 and torchvision else {}), **more}.items():
            if not any(w in name for w in wanted): continue
            for attempt in range(3):
                with tempfile.TemporaryDirectory() as folder:
                    os.makedirs(os.path.join(folder, 'ours'))
                    found = of_child(lambda: findings(brine, folder, engine, name, make))
                if found is not None: break
            for what, label, why in found if found is not None else [('skip', f'{name} {engine}', 'PyTorch itself crashed, three times')]:
                if what == 'covers': covered.add(label)
                else: getattr(tally, what)(label, why)
    print(f'{len(covered)} different models with quantised, sparse or pruned weights')
    if wanted == ['']: tally.check('different models', None if len(covered) >= 100 else 'they are to be 100 and more')
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
