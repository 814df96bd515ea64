# SPDX-License-Identifier: MIT
"""test_convert_command.py BRINE: each option of `brine convert` does to a file what the same edit in PyTorch does."""
import fnmatch
import io
import os
import re
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections import OrderedDict

import torch
from torch import nn
from torch.nn.modules.utils import consume_prefix_in_state_dict_if_present

from common import Tally, command, run


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

    def convert(self, *options, notes=(), source=None):
        if os.path.exists(self.out): os.unlink(self.out)
        r = self.run(*options, source=source)
        need(r.status == 0 and not r.out, f'{options}: status {r.status}: {r.error()}')
        told = r.error().splitlines()
        need(told == list(notes), f'{options}: {told}, expected {list(notes)}')
        return load(self.out)


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


def test_only_and_drop(f):
    glob = lambda pattern: lambda name: fnmatch.fnmatchcase(name, pattern)
    same(f.convert('--only', '*.weight'), chosen(f.weights, glob('*.weight')))
    same(f.convert('--drop', 'bn.*'), chosen(f.weights, lambda k: not glob('bn.*')(k)))
    same(f.convert('--only', 'bn.*', '--only', 'fc.[bw]*', '--drop', '*.num_*', '--drop', '*.bias'),
         chosen(f.weights, lambda k: (glob('bn.*')(k) or glob('fc.[bw]*')(k)) and not glob('*.num_*')(k) and not glob('*.bias')(k)))
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
    same(f.convert('--state-dict', source=source), f.weights)
    same(f.convert('--state-dict', 'runs.best', source=source), other)
    same(f.convert('--state-dict=best', '--at', 'runs', source=source), other)
    same(f.convert('--at', 'runs.best', source=source), other)
    need(f.convert('--at', 'epoch', source=source) == 3, '--at epoch')
    need(list(f.convert('--at', 'runs', source=source)) == ['last', 'best'], '--at runs')
    same(f.convert('--at', 'runs.best', '--cast', 'float32', source=source), network().state_dict())
    r = run(f.brine, 'convert', '--state-dict', f.source, f.file('first.pth'))  # FILE is no KEY
    need(r.status == 0, r.error())
    for options in (['--at', 'runs', '--state-dict'], ['--state-dict', 'nowhere']):
        need(f.run(*options, '--force', source=source).refused() is None, f'{options}: several, none')


def test_whole_model(f):
    model = network()
    torch.save(model, f.file('model.pth'))
    same(f.convert('--state-dict', source=f.file('model.pth')), model.state_dict())
    same(f.convert('--only', 'fc.*', source=f.file('model.pth')), chosen(model.state_dict(), lambda k: k.startswith('fc.')))


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


def main():
    brine, tally = command(), Tally()
    warnings.simplefilter('ignore')
    for name, test in list(globals().items()):
        if not name.startswith('test_'): continue
        with tempfile.TemporaryDirectory() as path:
            try:
                test(Folder(brine, path))
                tally.ok()
            except Exception as e:
                tally.fail(name, f'{type(e).__name__}: {e}')
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
