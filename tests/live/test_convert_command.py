# SPDX-License-Identifier: MIT
"""test_convert_command.py BRINE: each option of `brine convert` does to a file what the same edit in PyTorch does."""
import fnmatch
import io
import os
import pickle
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
from collections import OrderedDict

import torch
from torch import nn
from torch.nn.modules.utils import consume_prefix_in_state_dict_if_present

import torch_zip
from common import command, run, run_tests


OF_THIS_TORCH = ['--profile', 'torch-1.6'] if torch.__version__ < '2' else []


def need(condition, why):
    if not condition: raise AssertionError(why)


def load(file):
    return torch.load(file, **({} if torch.__version__ < '2' else {'weights_only': False}))


def network():
    torch.manual_seed(1)
    return nn.Sequential(OrderedDict(conv=nn.Conv2d(1, 2, 3), bn=nn.BatchNorm2d(2), fc=nn.Linear(4, 3)))


def same(got, want):
    """The same names in the same order, tensors of the same dtype, shape and bits, the same versions."""
    need(list(got) == list(want), f'keys {list(got)}, expected {list(want)}')
    for name, tensor in want.items():
        need(got[name].dtype == tensor.dtype and torch.equal(got[name], tensor), f'{name} is {got[name]}, expected {tensor}')
    versions = [{m: info.get('version') for m, info in getattr(sd, '_metadata', {}).items()} for sd in (got, want)]
    need(versions[0] == versions[1], f'versions {versions[0]}, expected {versions[1]}')


class Folder:
    """A state dict as in.pth; convert() makes out.pth of it, or of another file."""
    def __init__(self, brine, path):
        self.brine, self.path, self.weights = brine, path, network().state_dict()
        self.source, self.out = self.file('in.pth'), self.file('out.pth')
        torch.save(self.weights, self.source)

    def file(self, name):
        return os.path.join(self.path, name)

    def run(self, *options, source=None, out=None):
        return run(self.brine, 'convert', *options, '--', source or self.source, out or self.out)

    def convert(self, *options, notes=(), left='', source=None):
        """`left` is what standard error must name as left out, behind the notes."""
        if os.path.exists(self.out): os.unlink(self.out)
        r = self.run(*options, source=source)
        need(r.status == 0 and not r.out, f'{options}: status {r.status}: {r.error()}')
        told, expected = r.error().splitlines(), [*notes, *(['left out: ' + left] if left else [])]
        need(told == expected, f'{options}: {told}, expected {expected}')
        return load(self.out)

    def same_bytes(self, *options, source, edit, left='', notes=()):
        """convert writes what torch.save writes after `edit` of the loaded file."""
        what = load(self.file(source))
        what = edit(what) or what
        os.makedirs(self.file('torch'), exist_ok=True)
        torch.save(what, self.file('torch/out.pth'))
        self.convert(*OF_THIS_TORCH, *options, source=self.file(source), left=left, notes=notes)
        need(open(self.out, 'rb').read() == open(self.file('torch/out.pth'), 'rb').read(), f'{options}: not the bytes of torch.save')


def test_plain(f):
    same(f.convert(), f.weights)
    for name in 'conv.weight', 'fc.bias': need(not load(f.out)[name].requires_grad, name)


def test_legacy_becomes_a_zip(f):
    torch.save(f.weights, f.file('old.pth'), _use_new_zipfile_serialization=False)
    same(f.convert(source=f.file('old.pth')), f.weights)
    need(zipfile.is_zipfile(f.out), 'no zip')


def test_an_old_file_is_kept(f):
    with open(f.out, 'w') as out: out.write('old')
    r = f.run()
    need(r.refused() is None and '--force' in r.error(), f'{r.refused()}: {r.error()}')
    need(open(f.out).read() == 'old', 'the old file is gone')
    r = f.run('--force', '--at', 'nowhere')
    need(r.refused() is None and open(f.out).read() == 'old', 'a failure took the old file')
    need(f.run('--force').status == 0, '--force')
    same(load(f.out), f.weights)
    need(sorted(os.listdir(f.path)) == ['in.pth', 'out.pth'], f'left behind: {os.listdir(f.path)}')


def test_over_itself(f):
    need(f.run('--force', '--cast', 'float64', out=f.source).status == 0, 'status')
    need(torch.equal(load(f.source)['fc.bias'], f.weights['fc.bias'].double()), 'not cast')


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
    same(f.convert('--only', 'fc.*', source=f.file('model.pth'), notes=['note: the module becomes its state dict'], left=dropped(model.state_dict(), keep)),
         chosen(model.state_dict(), keep))


def trained(f):
    """A checkpoint as a training loop saves it."""
    net = network()
    optimizer = torch.optim.Adam(net.parameters())
    for p in net.parameters(): p.grad = torch.ones_like(p)
    optimizer.step()
    torch.save({'epoch': 3, 'model': net.state_dict(), 'optimizer': optimizer.state_dict(), 'args': {'lr': 0.1}, 'names': ['a', 'b']}, f.file('all.pth'))
    return load(f.file('all.pth'))


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


def test_what_is_not_cast_is_named(f):
    others = {'sp': torch.eye(3).to_sparse(), 'csr': torch.eye(3).to_sparse_csr(), 'q': torch.quantize_per_tensor(torch.ones(3), .1, 0, torch.quint8)}
    if torch.__version__ > '2':
        others.update(meta=torch.empty(3, device='meta'), parameter=nn.Parameter(torch.eye(3).to_sparse()), nested=torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]))
    weights = {'w': torch.ones(2), **others, 'ints': torch.eye(3).long().to_sparse(), 'n': 3}
    torch.save(weights, f.file('odd.pth'))
    sparse = ['sp', 'csr', 'parameter'] if 'parameter' in others else ['sp', 'csr']
    notes = [f'note: {len(sparse)} sparse weights stay as they are: {", ".join(sparse)}', 'note: 1 quantized weight stays as it is: q']
    if 'meta' in others: notes += ['note: 1 meta weight stays as it is: meta', 'note: 1 nested weight stays as it is: nested']
    for options in [], ['--state-dict']:
        got = f.convert('--cast', 'fp16', *options, source=f.file('odd.pth'), notes=notes)
        need(got['w'].dtype == torch.float16 and got['sp'].dtype == torch.float32, got)
    f.convert('--cast', 'fp16', source=f.file('odd.pth'), notes=notes)
    f.convert('--drop', 'sp', source=f.file('odd.pth'), left='sp')  # it matches a weight
    got = f.convert('--only', 'sp', source=f.file('odd.pth'), left=', '.join(k for k in weights if k not in ('sp', 'n')) + ', n')
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
    got = f.convert('--drop', 'bn.*', source=f.file('models.pth'), notes=['note: the module at model becomes its state dict'], left='bn.* (5 tensors)')
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


def test_standard_output(f):
    def shell(line): return subprocess.run(['sh', '-c', line, 'sh', f.brine, f.source, f.out], capture_output=True)
    r = shell('"$1" convert "$2" - > "$3"')
    need(r.returncode == 0, r.stderr)
    same(load(f.out), f.weights)
    whole = open(f.out, 'rb').read()
    r = shell('printf before > "$3"; "$1" convert "$2" - >> "$3"')
    need(r.returncode == 0 and open(f.out, 'rb').read() == b'before' + whole, r.stderr)
    r = shell('"$1" convert "$2" /dev/stdout > "$3"')
    need(r.returncode == 0 and open(f.out, 'rb').read() == whole, r.stderr)
    ours, theirs = os.openpty()
    r = subprocess.run([f.brine, 'convert', f.source, '-'], stdout=theirs, stderr=subprocess.PIPE)
    os.set_blocking(ours, False)
    try: shown = os.read(ours, 100)
    except OSError: shown = b''
    need(r.returncode == 2 and not shown and b'does not go to a terminal' in r.stderr, f'{r.returncode}: {shown} {r.stderr}')
    r = subprocess.run([f.brine, 'convert', f.source, ''], capture_output=True)
    need(r.returncode == 2 and b"the new file" in r.stderr and b'in.pth' not in r.stderr, r.stderr)


def test_other_formats_are_refused(f):
    for name in 'x.safetensors', 'x.NPZ', 'x.gguf', 'x.onnx', 'x.h5', 'x.npy', 'x.pb', 'x.tflite':
        r = f.run(out=f.file(name))
        need(r.status == 1 and name.lower()[1:] in r.error() and not os.path.exists(f.file(name)), f'{name}: {r.error()}')


def test_damage_is_not_copied(f):
    data = bytearray(open(f.source, 'rb').read())
    at = data.find(f.weights['fc.weight'].numpy().tobytes())
    data[at] ^= 1
    open(f.file('bad.pth'), 'wb').write(data)
    with open(f.out, 'w') as out: out.write('old')
    for options in [], ['--cast', 'float16'], ['--state-dict'], ['--compact'], ['--no-crc']:
        r = f.run('--force', *options, source=f.file('bad.pth'))
        need(r.refused() is None and 'data/' in r.error() and '[corrupt]' in r.error() and 'bad.pth' in r.error(), f'{options}: {r.status}, {r.error()}')
        need(open(f.out).read() == 'old', 'a failure took the old file')
    need(f.run('--force', '--no-verify', source=f.file('bad.pth')).status == 0, '--no-verify')
    need(f.run('--force', '--drop', 'fc.weight', source=f.file('bad.pth')).status == 0, 'what is not copied')


def test_no_room(f):
    torch.save({'w': torch.ones(1_000_000)}, f.file('large.pth'))
    with open(f.out, 'w') as out: out.write('old')
    before = sorted(os.listdir(f.path))
    def limit(): resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    for options in [], ['--cast', 'float16']:
        r = subprocess.run([f.brine, 'convert', '--force', *options, f.file('large.pth'), f.out], capture_output=True, preexec_fn=limit)
        need(r.returncode == 1 and b'[io]' in r.stderr, f'{r.returncode}: {r.stderr}')
        need(open(f.out).read() == 'old' and sorted(os.listdir(f.path)) == before, os.listdir(f.path))


def test_a_signal_leaves_the_old_file(f):
    os.truncate(f.source, 0)
    torch.save({str(i): torch.zeros(1 << 20) for i in range(64)}, f.source)
    with open(f.out, 'w') as out: out.write('old')
    child = subprocess.Popen([f.brine, 'convert', '--force', '--cast', 'float64', f.source, f.out], stderr=subprocess.DEVNULL)
    while child.poll() is None and len(os.listdir(f.path)) < 3: time.sleep(0.001)
    if child.poll() is None: child.send_signal(signal.SIGINT)
    status = child.wait()
    need(sorted(os.listdir(f.path)) == ['in.pth', 'out.pth'], os.listdir(f.path))
    need(status == -signal.SIGINT and open(f.out).read() == 'old', f'status {status}')


def test_a_cast_takes_no_memory(f):
    torch.save({'w': torch.zeros(50_000_000)}, f.source)
    if 'BRINE_TEST_MIB' in os.environ: return  # a sanitizer's build
    def limit(): resource.setrlimit(resource.RLIMIT_AS, (128 << 20, 128 << 20))
    r = subprocess.run([f.brine, 'convert', '--no-mmap', '--cast', 'float64', f.source, f.out], capture_output=True, preexec_fn=limit)
    need(r.returncode == 0 and os.path.getsize(f.out) > 400_000_000, r.stderr)


def test_old_calls(f):
    """What releases up to 0.4 wrote is written as this PyTorch writes it after loading."""
    class Storage: pass
    class Call:
        def __init__(self, *parts): self.parts = parts
        def __reduce__(self): return self.parts
    class Pickler(pickle.Pickler):
        def persistent_id(self, value): return ('storage', torch.FloatStorage, '0', 'cpu', 4) if isinstance(value, Storage) else None
    view = Storage(), 0, (2, 2), (2, 1)
    v1 = Call(torch._utils._rebuild_tensor, view)
    kinds = {'v1': v1, 'v2 of None': Call(torch._utils._rebuild_tensor_v2, (*view, False, None)), 'built': Call(torch.FloatTensor, (), view),
             'parameter': Call(nn.Parameter, (v1, True)), 'rebuilt': Call(torch._utils._rebuild_parameter, (v1, False, OrderedDict(a=1)))}
    for kind, call in kinds.items():
        data = io.BytesIO()
        Pickler(data, 2).dump({'w': call, 'epoch': 1})
        with open(f.file('old.pth'), 'wb') as out: out.write(torch_zip.checkpoint(data.getvalue(), {'0': bytes(16)}))
        try: f.same_bytes(source='old.pth', edit=lambda c: None)
        except AssertionError as e: raise AssertionError(f'{kind}: {e}')
        as_read = f.convert('--as-read', source=f.file('old.pth'))
        with zipfile.ZipFile(f.out) as again, zipfile.ZipFile(f.file('old.pth')) as old:
            calls = lambda z: re.findall(rb'_rebuild_\w+|Parameter|FloatTensor', z.read(next(n for n in z.namelist() if n.endswith('data.pkl'))))
            need(calls(again) == calls(old), f'{kind}: --as-read {calls(again)}, expected {calls(old)}')


def test_compact(f):
    big = torch.arange(10_000.)
    torch.save({'row': big[5000:5010], 'every': big[::1000][2:4], 'none': big[:0], 'tied': big[5000:5010]}, f.file('views.pth'))
    whole, got = f.convert(source=f.file('views.pth')), f.convert('--compact', source=f.file('views.pth'))
    need(all(torch.equal(got[k], whole[k]) for k in whole), 'values')
    need(os.path.getsize(f.out) < 20_000 < os.path.getsize(f.file('views.pth')), f'{os.path.getsize(f.out)} bytes')


def test_profiles(f):
    records = {'torch-1.6': {'data.pkl', 'version'}, 'torch-2.1': {'data.pkl', 'byteorder', 'version', '.data/serialization_id'},
               'torch-2.7': {'data.pkl', '.format_version', '.storage_alignment', 'byteorder', 'version', '.data/serialization_id'}}
    for profile, names in records.items():
        same(f.convert('--profile', profile), f.weights)
        found = {n.split('/', 1)[1] for n in zipfile.ZipFile(f.out).namelist()}
        need({n for n in found if not n.startswith('data/')} == names, f'{profile}: {found}')


def test_protocol_and_crc(f):
    for protocol in '1', '2', '3', '4', '5':
        same(f.convert('--protocol', protocol), f.weights)
        pickle = zipfile.ZipFile(f.out).read('out/data.pkl')
        need(pickle[:2] == bytes([0x80, int(protocol)]) or (protocol == '1' and pickle[0] != 0x80), f'{protocol}: {pickle[:2]}')
    need(f.run('--protocol', '6', '--force').status == 2, 'protocol 6')
    f.convert('--no-crc')
    need(all(info.CRC == 0 for info in zipfile.ZipFile(f.out).infolist()), 'CRCs')
    same(f.convert('--fsync'), f.weights)


def test_streams(f):
    with open(f.source, 'rb') as source:
        r = subprocess.run([f.brine, 'convert', '-', '-', '--cast', 'float16'], stdin=source, capture_output=True)
    need(r.returncode == 0, r.stderr)
    need(load(io.BytesIO(r.stdout))['fc.bias'].dtype == torch.float16, 'not cast')
    need(zipfile.ZipFile(io.BytesIO(r.stdout)).namelist()[0] == 'archive/data.pkl', 'the root')
    listed = subprocess.run([f.brine, 'ls', '-'], input=r.stdout, capture_output=True)
    need(listed.returncode == 0 and b'fc.bias' in listed.stdout, listed.stderr)


def test_bad_targets(f):
    for out in (f.file('no/such/folder.pth'), f.path, f.file('.pth')):
        r = f.run(out=out)
        need(r.refused() is None, f'{out}: {r.status}, {r.error()}')
    need(os.listdir(f.path) == ['in.pth'], os.listdir(f.path))


if __name__ == '__main__':
    warnings.simplefilter('ignore')
    sys.exit(run_tests(globals(), command(), lambda brine, folder: (Folder(brine, folder),)))
