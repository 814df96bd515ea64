# SPDX-License-Identifier: MIT
"""test_convert_command.py BRINE: files that `brine convert` reads and writes: formats, profiles, streams, what is refused, and what no failure destroys."""
import io
import os
import pickle
import re
import resource
import signal
import subprocess
import sys
import time
import warnings
import zipfile
from collections import OrderedDict

import torch
from torch import nn

import torch_zip
from common import command, run, run_tests
from convert_files import Folder, load, need, same


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
