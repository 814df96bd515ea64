# SPDX-License-Identifier: MIT
"""test_convert_edits.py BRINE: names, places and dtypes: each option of `brine convert` does to a file what the same edit in PyTorch does."""
import fnmatch
import os
import re
import resource
import subprocess
import sys
import warnings
from collections import OrderedDict

import torch
from torch import nn
from torch.nn.modules.utils import consume_prefix_in_state_dict_if_present

from common import command, run, run_tests
from convert_files import Folder, load, need, network, same, trained


def test_cast(f):
    for name in 'float16', 'bfloat16', 'float64':
        for key, value in f.convert('--cast', name).items():
            want = f.weights[key]
            want = want.to(getattr(torch, name)) if want.is_floating_point() else want
            need(value.dtype == want.dtype and torch.equal(value, want), f'{name}: {key}')
    need(f.run('--cast', 'float15', out=f.file('x.pth')).status == 2, 'a dtype that is none')


def chosen(weights, keep):
    kept = OrderedDict((k, v) for k, v in weights.items() if keep(k))
    kept._metadata = weights._metadata
    return kept


def dropped(weights, keep):
    """What is told of the names that go: the shortest beginning, up to a dot, that no other name has, where several names have it."""
    groups = OrderedDict()
    for name in weights:
        if keep(name): continue
        parts = name.split('.')
        begins = ('.'.join(parts[:i]) + '.' for i in range(1, len(parts)))
        groups.setdefault(next((b for b in begins if not any(keep(k) and k.startswith(b) for k in weights)), name), []).append(name)
    return ', '.join(names[0] if len(names) == 1 else f'{begin}* ({len(names)} tensors)' for begin, names in groups.items())


def test_only_and_drop(f):
    glob = lambda pattern: lambda name: fnmatch.fnmatchcase(name, pattern)
    def check(keep, *options): same(f.convert(*options, left=dropped(f.weights, keep)), chosen(f.weights, keep))
    check(glob('*.weight'), '--only', '*.weight')
    check(lambda k: not glob('bn.*')(k), '--drop', 'bn.*')
    check(lambda k: (glob('bn.*')(k) or glob('fc.[bw]*')(k)) and not glob('*.num_*')(k) and not glob('*.bias')(k),
          '--only', 'bn.*', '--only', 'fc.[bw]*', '--drop', '*.num_*', '--drop', '*.bias')
    same(f.convert('--drop', 'nothing.*', notes=["note: --drop 'nothing.*' matches no weight"]), f.weights)
    r = f.run('--only', 'nothing', '--force')
    need(r.status == 1 and '--only and --drop leave no weight' in r.error(), r.error())


def test_prefixes(f):
    wrapped = nn.DataParallel(network()).state_dict()
    torch.save(wrapped, f.file('wrapped.pth'))
    got = f.convert('--strip-prefix', 'module.', source=f.file('wrapped.pth'))
    consume_prefix_in_state_dict_if_present(wrapped, 'module.')
    if torch.__version__ < '2':  # it sorted the names then, and passed over _metadata
        for name in f.weights: wrapped.move_to_end(name)
        wrapped._metadata = f.weights._metadata
    same(got, wrapped)
    need(not network().load_state_dict(got).missing_keys, 'load_state_dict')
    added = f.convert('--add-prefix', 'module.')
    need(list(added) == ['module.' + k for k in f.weights], list(added))
    nn.DataParallel(network()).load_state_dict(added)
    same(f.convert('--strip-prefix', 'x.', notes=["note: --strip-prefix 'x.' matches no weight"]), f.weights)


def test_rename(f):
    got = f.convert('--rename', 's/^conv/features.0/', '--rename', 's/.weight$/.w/', '--rename', r's/^*.bias/b.\1/')
    rename = lambda k: re.sub(r'^([^.]*)\.bias', r'b.\1', re.sub(r'\.weight$', '.w', re.sub('^conv', 'features.0', k, count=1)), count=1)
    need(list(got) == [rename(k) for k in f.weights], list(got))
    need(all(torch.equal(got[rename(k)], v) for k, v in f.weights.items()), 'values')
    same(f.convert('--rename', 's/x/y/', notes=["note: --rename 's/x/y/' matches no weight"]), f.weights)
    need(f.run('--rename', 'conv', '--force').status == 2, 'a rule that is none')
    r = f.run('--rename', 's/conv.weight/fc.weight/', '--force')
    need(r.refused() is None, f'two weights of one name: {r.status}, {r.error()}')


def test_places(f):
    other = network().double().state_dict()
    torch.save({'epoch': 3, 'runs': {'last': f.weights, 'best': other}, 'model': f.weights}, f.file('all.pth'))
    source = f.file('all.pth')
    same(f.convert('--state-dict', source=source, left='runs (18 tensors), epoch'), f.weights)
    best = 'model (9 tensors), runs.last (9 tensors), epoch'
    same(f.convert('--state-dict', 'runs.best', source=source, left=best), other)
    same(f.convert('--state-dict=best', '--at', 'runs', source=source, left=best), other)
    same(f.convert('--at', 'runs.best', source=source, left=best), other)
    need(f.convert('--at', 'epoch', source=source, left='runs (18 tensors), model (9 tensors)') == 3, '--at epoch')
    need(list(f.convert('--at', 'runs', source=source, left='model (9 tensors), epoch')) == ['last', 'best'], '--at runs')
    same(f.convert('--at', 'runs.best', '--cast', 'float32', source=source, left=best), network().state_dict())
    r = run(f.brine, 'convert', '--state-dict', f.source, f.file('first.pth'))  # FILE is no KEY
    need(r.status == 0, r.error())
    for options in (['--at', 'runs', '--state-dict'], ['--state-dict', 'nowhere']):
        need(f.run(*options, '--force', source=source).refused() is None, f'{options}: several, none')


def test_whole_model(f):
    model = network()
    torch.save(model, f.file('model.pth'))
    same(f.convert('--state-dict', source=f.file('model.pth'), left="the module's classes and attributes"), model.state_dict())
    keep = lambda k: k.startswith('fc.')
    same(f.convert('--only', 'fc.*', source=f.file('model.pth'), notes=['note: the module becomes its state dict'], left=dropped(model.state_dict(), keep) + ", the module's classes and attributes"),
         chosen(model.state_dict(), keep))
    kept = f.convert('--strip-prefix', 'zz.', source=f.file('model.pth'), notes=["note: --strip-prefix 'zz.' matches no weight"])
    same(kept.state_dict(), model.state_dict())  # it stays a model


def test_the_rest_is_kept(f):
    trained(f)
    def half(c):
        for k, v in c['model'].items(): c['model'][k] = v.half() if v.is_floating_point() else v
    def renamed(c):
        c['model'] = OrderedDict((k.replace('conv', 'stem'), v) for k, v in c['model'].items())
    def slim(c):
        del c['optimizer'], c['args']['lr']
    f.same_bytes(source='all.pth', edit=lambda c: None)
    f.same_bytes('--cast', 'fp16', source='all.pth', edit=half)
    f.same_bytes('--drop-at', 'optimizer', '--drop-at', 'args.lr', source='all.pth', edit=slim, left='optimizer (18 tensors), args.lr')
    f.same_bytes('--drop', 'bn.*', source='all.pth', edit=lambda c: [c['model'].pop(k) for k in list(c['model']) if k.startswith('bn.')] and None,
                 left='bn.* (5 tensors)')
    got = f.convert('--rename', 's/^conv/stem/', '--cast', 'torch.bfloat16', source=f.file('all.pth'))
    need(got['epoch'] == 3 and 'stem.weight' in got['model'] and got['model']['stem.weight'].dtype == torch.bfloat16, got['model'].keys())
    need(type(got['model']) is OrderedDict and got['model']._metadata['bn']['version'] == 2, 'metadata')
    need(got['optimizer']['state'][0]['exp_avg'].dtype == torch.float32, 'the optimizer was cast')
    got = f.convert('--keep-at', 'epoch', '--keep-at', 'model.fc.bias', '--keep-at', 'names.1', source=f.file('all.pth'),
                    left='optimizer (18 tensors), model.conv.* (2 tensors), model.bn.* (5 tensors), model.fc.weight, args, names.0')
    need(list(got) == ['epoch', 'model', 'names'] and list(got['model']) == ['fc.bias'] and got['names'] == ['b'], got)
    for options in (['--drop-at', 'nowhere'], ['--keep-at', 'model.nothing'], ['--drop-at', 'model.fc.bias', '--only', 'conv.*']):
        need(f.run(*options, '--force', source=f.file('all.pth')).refused() is None, options)
    need(f.run('--drop-at', 'epoch', '--state-dict', '--force', source=f.file('all.pth')).status == 2, 'both')


def test_a_module_stays_one(f):
    model = network()
    model.tied = model.fc
    model.register_buffer('scale', torch.ones(2), persistent=False)
    torch.save({'net': model, 'epoch': 1}, f.file('model.pth'))
    got = f.convert('--cast', 'half', source=f.file('model.pth'))
    need(type(got['net']) is nn.Sequential and got['epoch'] == 1, type(got['net']))
    want = model.half().state_dict()
    same(got['net'].state_dict(), want)
    need(got['net'].scale.dtype == torch.float16 and got['net'].tied.weight is got['net'].fc.weight and got['net'].fc.weight.requires_grad, 'ties')


def test_parameters_keep_what_they_have(f):
    if torch.__version__ < '2': return
    p = nn.Parameter(torch.arange(6.).reshape(2, 3).t())
    p.axis, p.old = 1, torch.ones(2)
    t = torch.ones(3)
    t.tag = 'x'
    torch.save({'p': p, 'q': nn.Parameter(torch.ones(2), requires_grad=False), 't': t, 'i': torch.arange(3)}, f.file('p.pth'))
    for name, dtype in ('bf16', torch.bfloat16), ('float8_e4m3fn', torch.float8_e4m3fn), ('double', torch.float64):
        got = f.convert('--cast', name, source=f.file('p.pth'))
        need(type(got['p']) is nn.Parameter and got['p'].dtype == dtype and got['p'].axis == 1 and got['p'].requires_grad, got['p'])
        need(torch.equal(got['p'].float(), p) and got['p'].stride() == p.stride() and torch.equal(got['p'].old, torch.ones(2)), 'values')
        need(type(got['q']) is nn.Parameter and not got['q'].requires_grad and got['q'].dtype == dtype, got['q'])
        need(got['t'].dtype == dtype and got['t'].tag == 'x' and got['i'].dtype == torch.int64, got['t'])


def test_what_a_cast_costs(f):
    torch.save({'w': torch.tensor([1., 1e5, -1e6, 1e-9, 0., float('inf')]), 'c': torch.ones(1, dtype=torch.complex64)}, f.file('w.pth'))
    kept = 'note: 1 complex weight stays as it is; --force gives up the imaginary parts'
    got = f.convert('--cast', 'float16', source=f.file('w.pth'), notes=[kept, 'note: 2 values became inf, 1 became 0'])
    need(torch.equal(got['w'], load(f.file('w.pth'))['w'].half()) and got['c'].dtype == torch.complex64, got)
    need(f.run('--cast', 'int32', out=f.file('x.pth'), source=f.file('w.pth')).refused() is None, 'float to int')
    r = f.run('--cast', 'int32', '--force', source=f.file('w.pth'))
    need(r.status == 0 and load(f.out)['w'].dtype == torch.int32, r.error())
    os.rename(f.out, f.file('ints.pth'))
    f.convert('--cast', 'float16', source=f.file('ints.pth'), notes=['note: --cast float16 changes no weight'])


def test_lazy_bits(f):
    """A conj or neg bit that the new dtype cannot have is resolved, also under a class of the program's."""
    real = torch._neg_view(torch.tensor([1.5, -3., 0., 100.]))
    conj = torch.tensor([1 + 2j, 3 - 4j]).conj()
    tensors = {'w': conj, 'both': torch._neg_view(conj), 'p': nn.Parameter(torch.tensor([1 + 2j]).conj()), 'n': real, 'shared': real.resolve_neg()}
    tagged = conj.clone().conj()
    tagged.tag = 1
    tensors['tagged'] = tagged
    if torch.__version__ < '2': tensors.pop('both'), tensors.pop('n')  # its torch.save loses the neg bit
    torch.save(tensors, f.file('bits.pth'))
    loaded = load(f.file('bits.pth'))
    for name in 'float16', 'float64', 'bfloat16', 'int32', 'int8', 'complex128', 'float8_e4m3fn', 'bool':
        if not hasattr(torch, name): continue
        r = f.run('--force', '--cast', name, source=f.file('bits.pth'))
        need(r.status == 0, f'{name}: {r.error()}')
        got = load(f.out)
        need(run(f.brine, 'stats', f.out).status == 0, f'{name}: brine cannot read it')
        for key, tensor in loaded.items():
            want = tensor.detach().resolve_conj().resolve_neg().to(getattr(torch, name))
            now = got[key].detach().resolve_conj().resolve_neg()
            wide = torch.complex128 if want.is_complex() else torch.float64
            need(now.dtype == want.dtype and torch.equal(now.to(wide), want.to(wide)), f'{name}: {key} is {now}, expected {want}')
            need(type(got[key]) is type(tensor) and getattr(got[key], 'tag', 0) == getattr(tensor, 'tag', 0), f'{name}: {key} is a {type(got[key])}')


def test_sparse_weights_are_cast_and_what_is_not_is_named(f):
    others = {'sp': torch.eye(3).to_sparse(), 'csr': torch.eye(3).to_sparse_csr(), 'q': torch.quantize_per_tensor(torch.ones(3), .1, 0, torch.quint8)}
    if torch.__version__ > '2':
        others.update(meta=torch.empty(3, device='meta'), parameter=nn.Parameter(torch.eye(3).to_sparse()), nested=torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]))
    weights = {'w': torch.ones(2), **others, 'ints': torch.eye(3).long().to_sparse(), 'n': 3}
    torch.save(weights, f.file('odd.pth'))
    notes, old = ['note: 1 quantized weight stays as it is: q'], [] if torch.__version__ > '2' else ['--profile', 'torch-1.6']
    for options in [], ['--state-dict']:
        got = f.convert('--cast', 'fp16', *options, *old, source=f.file('odd.pth'), notes=notes)
        cast = [k for k in others if k != 'q'] + ['w']
        need(all(got[k].dtype == torch.float16 for k in cast) and got['q'].dtype == torch.quint8 and got['ints'].dtype == torch.int64, got)
        need(torch.equal(got['sp'].to_dense(), torch.eye(3).half()) and torch.equal(got['csr'].to_dense(), torch.eye(3).half()), got)
        need('nested' not in got or torch.equal(got['nested'].unbind()[1], torch.ones(3).half()), got)
        need('parameter' not in got or got['parameter'].requires_grad and got['parameter'].layout == torch.sparse_coo, got)
    f.convert('--drop', 'sp', *old, source=f.file('odd.pth'), left='sp')  # it matches a weight
    got = f.convert('--only', 'sp', *old, source=f.file('odd.pth'), left=', '.join(k for k in weights if k not in ('sp', 'n')) + ', n')
    need(list(got) == ['sp'], got)


def test_names_are_edited_in_order(f):
    """The examples of the help: prefixes that go before names are chosen, and the other way round."""
    weights = OrderedDict((k, torch.ones(i + 1)) for i, k in enumerate(['module.body.w', 'module.body.bn.num_batches_tracked', 'module.head.w', 'other']))
    torch.save(weights, f.file('ddp.pth'))
    source = f.file('ddp.pth')
    footer = run(f.brine, 'convert', '--help').text()
    example = re.search(r"brine convert ddp.pt plain.pt (.*)", footer).group(1).replace("'", '').split()
    need(list(f.convert(*example, source=source, left='body.bn.num_batches_tracked, head.w')) == ['other', 'body.w'], 'the example of the help')
    need(list(f.convert('--only', 'module.head.*', '--strip-prefix', 'module.head.', source=source, left=dropped(weights, lambda k: 'head' in k))) == ['w'], 'a part of the model')
    need(list(f.convert('--rename', 's/^other$/module.x/', '--strip-prefix', 'module.', '--drop', 'body.*', '--rename', 's/x/y/', source=source, left='body.* (2 tensors)')) == ['head.w', 'y'], 'rename first')
    hint = "; it does behind --strip-prefix 'module.': these options are taken in their order"
    f.convert('--drop', 'head.*', '--strip-prefix', 'module.', source=source, notes=["note: --drop 'head.*' matches no weight" + hint])
    f.convert('--strip-prefix', 'module.', '--drop', 'module.head.*', source=source,
              notes=["note: --drop 'module.head.*' matches no weight; it does before --strip-prefix 'module.': these options are taken in their order"])
    r = f.run('--only', 'head.*', '--strip-prefix', 'module.', '--force', source=source)
    need(r.refused() is None and hint in r.error(), r.error())


def test_shared_weights(f):
    """A dict in several places is edited in all of them, with its class, its attributes and what else has them, as Python edits it."""
    weights = network().state_dict()
    copied = OrderedDict(weights)
    copied._metadata = weights._metadata
    weights.tag = 'x'
    torch.save({'model': weights, 'again': weights, 'copy': copied, 'names': [weights], 'plain': {'w': torch.ones(1)}}, f.file('shared.pth'))
    def edited(c, names):
        items = [(names(k), v) for k, v in c['model'].items() if names(k)]
        c['model'].clear()
        c['model'].update(items)
    no_bn = lambda k: None if k.startswith('bn.') else k
    f.same_bytes('--drop', 'bn.*', source='shared.pth', edit=lambda c: edited(c, no_bn), left='bn.* (5 tensors)')
    f.same_bytes('--rename', 's/.weight$/.w/', source='shared.pth', edit=lambda c: edited(c, lambda k: re.sub('.weight$', '.w', k)))
    torch.save((weights, {'state_dict': weights}), f.file('pair.pth'))
    got = f.convert('--state-dict', '--at', '0', '--drop', 'bn.*', source=f.file('pair.pth'), left='1 (9 tensors), bn.* (5 tensors)')
    need(not any(k.startswith('bn') for k in got), got.keys())
    model = network()
    torch.save({'model': model, 'again': [model]}, f.file('models.pth'))
    got = f.convert('--drop', 'bn.*', source=f.file('models.pth'), notes=['note: the module at model becomes its state dict'], left="bn.* (5 tensors), the module's classes and attributes")
    need(got['model'] is got['again'][0] and 'bn.weight' not in got['model'], 'a module in two places')


def test_left_out_names_all_tensors(f):
    trained(f)
    c = load(f.file('all.pth'))
    got = f.convert('--keep-at', 'model', '--keep-at', 'optimizer.state.0', source=f.file('all.pth'),
                    left=', '.join(f'optimizer.state.{i} (3 tensors)' for i in range(1, 6)) + ', epoch, args, names, optimizer.param_groups')
    need(list(got) == ['model', 'optimizer'] and list(got['optimizer']['state']) == [0], got.keys())
    f.convert('--keep-at', 'model', '--drop-at', 'optimizer', '--drop-at', 'args', source=f.file('all.pth'), left='optimizer (18 tensors), epoch, args, names')  # once
    torch.save({'keep': torch.ones(1), **{f'n{i}': i for i in range(100)}, **{f't{i}': torch.ones(1) for i in range(70)}, 'a.x': 1, 'a.y': 2}, f.file('many.pth'))
    f.convert('--only', 'keep', source=f.file('many.pth'), left=', '.join(f't{i}' for i in range(64)) + ' and 107 more (6 tensors)')
    model = network()
    model.register_buffer('scale', torch.ones(3), persistent=False)
    torch.save(model, f.file('model.pth'))
    r = f.run('--at', '_modules.fc', '--force', source=f.file('model.pth'))
    told = r.error().strip().split(': ', 1)[1]
    need(r.status == 0 and told.startswith('_buffers (1 tensor), _modules.conv (2 tensors), _modules.bn (5 tensors), '), told)
    f.convert('--state-dict', source=f.file('model.pth'), left="the module's classes and attributes (1 tensor)")


def test_casts_without_weights(f):
    """What is no state dict is cast whole, and said."""
    net = network()
    optimizer = torch.optim.Adam(net.parameters())
    for p in net.parameters(): p.grad = torch.ones_like(p)
    optimizer.step()
    half = lambda v: v.half() if torch.is_tensor(v) and v.is_floating_point() else v
    note = 'note: there are no weights by themselves: every floating-point tensor is cast'
    cases = {'tensor': torch.ones(3), 'list': [torch.ones(2), torch.arange(2)], 'tuple': (torch.ones(2), {'x': [torch.zeros(1)]}),
             'dicts': [net.state_dict(), network().state_dict()], 'optimizer': optimizer.state_dict(), 'parameter': nn.Parameter(torch.ones(2))}
    def same_cast(got, want, place):
        if torch.is_tensor(want):
            need(type(got) is type(want) and got.dtype == half(want).dtype and torch.equal(got, half(want)), f'{place} is {got}')
        elif isinstance(want, dict):
            need(list(got) == list(want), place)
            for k in want: same_cast(got[k], want[k], f'{place}.{k}')
        elif isinstance(want, (list, tuple)):
            need(type(got) is type(want) and len(got) == len(want), place)
            for i, v in enumerate(want): same_cast(got[i], v, f'{place}.{i}')
        else: need(got == want, place)
    for name, case in cases.items():
        torch.save(case, f.file('case.pth'))
        same_cast(f.convert('--cast', 'fp16', source=f.file('case.pth'), notes=[note]), case, name)
    torch.save({'model': net.state_dict(), 'optimizer': optimizer.state_dict()}, f.file('all.pth'))
    got = f.convert('--cast', 'fp16', '--at', 'optimizer', source=f.file('all.pth'), left='model (9 tensors)', notes=[note.replace('themselves', 'themselves at optimizer')])
    same_cast(got, optimizer.state_dict(), 'optimizer')
    torch.save({'epoch': 3}, f.file('none.pth'))
    for options in ['--cast', 'fp16'], ['--drop', 'x']:
        need(f.run(*options, '--force', source=f.file('none.pth')).refused() is None, options)


def test_attributes_and_members(f):
    """Attributes of tensors, and members of sets, are places as all others."""
    p = nn.Parameter(torch.ones(2))
    p.scale, p.axis = torch.ones(3), 1
    t = torch.ones(1)
    t.tag = 'x'
    sd = network().state_dict()
    torch.save({'p': p, 't': t, 's': {1}, 'f': frozenset([5]), 'model': sd}, f.file('p.pth'))
    if torch.__version__ > '2':
        def gone(*names): return lambda c: [delattr(c['p'], n) for n in names] and None
        f.same_bytes('--drop-at', 'p.scale', source='p.pth', edit=gone('scale'), left='p.scale')
        f.same_bytes('--drop-at', 'p.scale', '--drop-at', 'p.axis', source='p.pth', edit=gone('scale', 'axis'), left='p.scale, p.axis')
        got = f.convert('--keep-at', 'p.axis', source=f.file('p.pth'), left='t, model (9 tensors), p.scale, s, f')
        need(list(got) == ['p'] and got['p'].__dict__ == {'axis': 1}, got)
        f.same_bytes('--drop-at', 't.tag', source='p.pth', edit=lambda c: delattr(c['t'], 'tag'), left='t.tag')
    f.same_bytes('--drop-at', 's.0', source='p.pth', edit=lambda c: c['s'].clear(), left='s.0')
    f.same_bytes('--drop-at', 'f.0', source='p.pth', edit=lambda c: c.update(f=frozenset()), left='f.0')
    f.same_bytes('--drop-at', 'model._metadata', source='p.pth', edit=lambda c: delattr(c['model'], '_metadata'), left='model._metadata')


def test_a_cast_takes_no_memory(f):
    torch.save({'w': torch.zeros(50_000_000)}, f.source)
    if 'BRINE_TEST_MIB' in os.environ: return  # a sanitizer's build
    def limit(): resource.setrlimit(resource.RLIMIT_AS, (128 << 20, 128 << 20))
    r = subprocess.run([f.brine, 'convert', '--no-mmap', '--cast', 'float64', f.source, f.out], capture_output=True, preexec_fn=limit)
    need(r.returncode == 0 and os.path.getsize(f.out) > 400_000_000, r.stderr)


if __name__ == '__main__':
    warnings.simplefilter('ignore')
    sys.exit(run_tests(globals(), command(), lambda brine, folder: (Folder(brine, folder),)))
