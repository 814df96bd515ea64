# SPDX-License-Identifier: MIT
"""test_command.py BRINE: how the command behaves: statuses, listings, patterns, places, `show`, `cat`, `pickle`, odd names, closed pipes.

Needs no PyTorch; `cat` to .npy needs numpy. The values in the golden files are ranges (make_golden.py), so they are known here.
"""
import io
import json
import os
import pickletools
import re
import signal
import subprocess
import sys
import tempfile
import zipfile
import zlib

from common import GOLDEN, command, run, run_tests
from state_pickle import dict_of, tensor
from torch_zip import checkpoint

golden = lambda name: os.path.join(GOLDEN, name)
RESNET, ADAM, DTYPES = golden('resnet.pth'), golden('checkpoint_adam.pth'), golden('dtypes.pth')


def expected(path):
    with open(path[:-4] + '.expect.json', encoding='ascii') as f: return json.load(f)


def need(condition, why):
    if not condition: raise AssertionError(why)


def test_usage(brine, folder):
    for args in ([], ['nonsense'], ['ls'], ['ls', '--nonsense', RESNET], ['cat', RESNET], ['ls', '--at']):
        r = run(brine, *args)
        need(r.status == 2 and r.err and not r.out, f'{args}: wrong usage is 2, told on standard error; here {r.status}, {r.error()[:99]!r}')
    for args in (['--help'], ['ls', '--help'], ['show', '--help'], ['cat', '--help'], ['pickle', '--help']):
        r = run(brine, *args)
        need(r.status == 0 and len(r.out) > 40 and not r.err, f'{args}: status {r.status}')
    r = run(brine, '--version')
    need(r.status == 0 and re.search(r'\b\d+\.\d+\.\d+\b', r.text()), f'--version says {r.text()!r}')


def test_usage_says_what_was_meant(brine, folder):
    for args, words in ((['sohw', RESNET], ['sohw', 'did you mean show?', 'brine help']), (['ls', '--jsno', RESNET], ['--jsno', 'did you mean --json?', 'brine ls --help']),
                        (['ls'], ['FILE', 'brine ls --help']), (['show', '--depth', '-1', RESNET], ['--depth', '-1']), (['show', '--depth=-1', RESNET], ['--depth', '-1']),
                        (['ls', RESNET, '--sort', 'x'], ['expected file, name, size or dtype, found x']), (['convert', RESNET, 'o.pth', '--protocol', '9'], ['expected a number from 1 to 5, found 9']),
                        (['ls', RESNET, '--at'], ['expected a value behind --at']), (['show', RESNET, 'more'], ['expected no more words, found more']),
                        (['convert', RESNET, '--state-dict', 'o.pth', '--cast', 'half'], ['OUT is required', 'behind --state-dict']),
                        (['ls', '--offset', '99999999999999999999', RESNET], ['--offset']), (['help', 'lss'], ['did you mean ls?']), ([], ['brine help'])):
        r = run(brine, *args)
        need(r.status == 2 and not r.out and len(r.error().splitlines()) == 1 and r.error().startswith('brine: '), f'{args}: {r.status}, {r.error()[:200]!r}')
        for word in words: need(word in r.error(), f'{args}: no {word!r} in {r.error()!r}')
    need(run(brine, 'help').out == run(brine, '--help').out and run(brine, 'help', 'ls').out == run(brine, 'ls', '--help').out, 'brine help [VERB]')


def test_errors_as_json(brine, folder):
    nothing = os.path.join(folder, 'nothing.pth')
    for args in (['show', RESNET, '--at', 'nope'], ['ls', RESNET, '--at', 'nope'], ['stats', RESNET, 'nope'], ['convert', RESNET, os.path.join(folder, 'o.pth'), '--at', 'nope'], ['cat', RESNET, 'nope']):
        error = run(brine, *args, '--json').json()['error']
        need(error['file'] == RESNET and error['code'] in ('missing_key', 'no_state_dict'), f'{args}: {error}')
    for verb, more in (('ls', []), ('show', []), ('cat', ['w']), ('convert', [os.path.join(folder, 'out.pth')]), ('diff', [RESNET]), ('match', [RESNET]), ('pickle', [])):
        plain, r = run(brine, verb, nothing, *more), run(brine, verb, nothing, *more, '--json')
        need(r.status == 1 and r.err == plain.err and not plain.out, f'{verb}: {r.status}, {r.error()!r}')
        error = r.json()['error']
        need(error['kind'] == 'io' and error['code'] == 'open_failed' and error['file'] == nothing and error['offset'] is None and error['message'].startswith('cannot open the file: '),
            f'{verb}: {error}')
    r = run(brine, 'ls', '--json')
    need(r.status == 2 and r.json()['error']['kind'] == 'usage', f'wrong usage: {r.text()!r}')


def test_ls_table(brine, folder):
    r, want = run(brine, 'ls', RESNET), expected(RESNET)['tensors']
    need(r.status == 0 and not r.err, f'status {r.status}: {r.error()}')
    lines = r.text().splitlines()
    for t in want:
        row = next((line for line in lines if line.split()[:1] == [t['name']]), '')
        need(t['dtype'] in row and (str(t['shape'][0]) if t['shape'] else '') in row,
            f'no line with {t["name"]}, {t["dtype"]}, {t["shape"]}: {row!r}')
    need(re.search(r'\b20 tensors\b', r.text()), f'no total of 20 tensors: {lines[-1]!r}')


def test_ls_json(brine, folder):
    r = run(brine, 'ls', '--json', RESNET)
    need(r.status == 0 and not r.err, r.error())
    listing = r.json()
    need(listing['format'] == 'zip' and listing['at'] == '' and listing['file'].endswith('resnet.pth'), str(listing)[:200])
    need(all(t.get('crc32') is None for t in listing['tensors']), 'a crc32 without --crc')


def test_patterns(brine, folder):
    names = lambda *args: [t['name'] for t in run(brine, 'ls', RESNET, *args, '--json').json()['tensors']]
    need(names('fc.*') == ['fc.weight', 'fc.bias'], f"'fc.*' gives {names('fc.*')}")
    need(names('*.weight', 'fc.bias')[-2:] == ['fc.weight', 'fc.bias'], f"two patterns give {names('*.weight', 'fc.bias')}")
    need(names('layer1.?.conv[12].weight') == ['layer1.0.conv1.weight', 'layer1.0.conv2.weight'],
        f"'?' and '[12]' give {names('layer1.?.conv[12].weight')}")
    need(names('fc.bias') == ['fc.bias'], 'a plain name')


def test_at(brine, folder):
    r = run(brine, 'ls', '--json', '--at', 'model_state_dict', ADAM)
    need(r.status == 0 and [t['name'] for t in r.json()['tensors']] == ['fc.weight', 'fc.bias'],
        f'status {r.status}: {r.text()[:200]} {r.error()}')
    need(r.json()['at'] == 'model_state_dict', f'at is {r.json()["at"]!r}')
    r = run(brine, 'ls', '--json', '--at', 'optimizer_state_dict.state.0', ADAM)
    need(r.status == 0 and [t['name'] for t in r.json()['tensors']] == ['step', 'exp_avg', 'exp_avg_sq'],
        f'an int key in a path: status {r.status} {r.error()}')
    need('nowhere' in run(brine, 'ls', '--at', 'nowhere', ADAM).error(), 'a place that is not there is not named')
    for place in ('nowhere', 'epoch', 'model_state_dict.fc', 'optimizer_state_dict.state.7'):
        why = run(brine, 'ls', '--at', place, ADAM).refused()
        need(not why, f'--at {place}: {why}')


def test_show(brine, folder):
    r = run(brine, 'show', ADAM)
    need(r.status == 0 and not r.err, r.error())
    for word in ('epoch', '7', 'model_state_dict', 'fc.weight', 'float32', 'Namespace', 'run 7', '0.875'):
        need(word in r.text(), f'{word!r} is not shown:\n{r.text()[:1500]}')
    shallow = run(brine, 'show', '--depth', '1', ADAM)
    need(shallow.status == 0 and 'exp_avg' not in shallow.text() and len(shallow.out) < len(r.out), '--depth 1 shows as much')
    part = run(brine, 'show', '--at', 'optimizer_state_dict', ADAM)
    need(part.status == 0 and 'exp_avg' in part.text() and 'epoch' not in part.text(), '--at in show')
    need(not run(brine, 'show', '--at', 'nowhere', ADAM).refused(), 'show --at nowhere')


def test_show_as_python(brine, folder):
    """Bytes, quotes and numpy's scalars as Python has them."""
    path = os.path.join(folder, 'odd.pth')
    text = lambda t: b'X' + len(t.encode()).to_bytes(4, 'little') + t.encode()
    raw = b'c_codecs\nencode\n' + text('\x07\xe8\\') + text('latin1') + b'\x86R'
    with open(path, 'wb') as f: f.write(checkpoint(b'\x80\x02}(' + text('b') + raw + text("it's") + text('a"b') + text('k') + b'}' + raw + b'K\1su.'))
    lines = run(brine, 'show', path).text().splitlines()
    need(lines == ['dict (3)', "  'b': " + repr(b'\x07\xe8\\'), '  "it\'s": \'a"b\'', "  'k': dict (1)", '    ' + repr(b'\x07\xe8\\') + ': 1'], f'{lines}')
    try:
        import numpy as np
        import pickle
    except ImportError:
        return
    values = {'c': np.complex64(1 + 2j), 'd': np.datetime64('2020-01-02'), 't': np.str_('ø'), 's': np.bytes_(b'ab')}
    with open(path, 'wb') as f: f.write(checkpoint(pickle.dumps(values, 2)))
    lines = [line.split('numpy scalar ')[1] for line in run(brine, 'show', path).text().splitlines()[1:]]
    need(lines == ['<c8 (1.0+2.0j)', '<M8[D] of the bytes ' + np.datetime64('2020-01-02').tobytes().hex(' '), "<U1 'ø'", "|S2 b'ab'"], f'{lines}')
    tree = run(brine, 'show', path, '--json').json()['tree']['dict']
    got = [tree[k]['numpy.scalar']['value'] for k in values]
    need(got == [{'complex': [1, 2]}, {'bytes': np.datetime64('2020-01-02').tobytes().hex(), 'size': 8}, 'ø', {'bytes': '6162', 'size': 2}], f'{got}')


def test_show_is_bounded(brine, folder):
    path = os.path.join(folder, 'laughs.pth')
    pickle = b'\x80\x02]q\x000'
    for level in range(12):         # each list holds the one before ten times
        pickle += b']q' + bytes([level + 1]) + b'(' + (b'h' + bytes([level])) * 10 + b'e0'
    with open(path, 'wb') as f: f.write(checkpoint(pickle[:-1] + b'.'))
    r = run(brine, 'show', path, timeout=20)
    need(r.status == 0 and r.seconds < 5 and len(r.out) < 1 << 20,
        f'ten to the twelfth items: status {r.status}, {r.seconds:.1f} s, {len(r.out)} bytes')


def test_control_characters(brine, folder):
    path = os.path.join(folder, 'odd.pth')
    names = ['\x1b[31mred', 'line\nfeed', 'tab\t', '\x7f', '\x9b31m', 'plain', '\u202eright-to-left']
    pickle = dict_of({n: tensor(str(i), (1,)) for i, n in enumerate(names)})
    with open(path, 'wb') as f: f.write(checkpoint(pickle, {str(i): b'abcd' for i in range(len(names))}))
    for args in (['ls'], ['ls', '--all'], ['show'], ['pickle'], ['ls', '--json']):
        r = run(brine, *args, path)
        need(r.status == 0, f'{args}: {r.error()}')
        bad = [c for c in r.text() if c != '\n' and (ord(c) < 32 or 127 <= ord(c) < 160) and not (c == '\t' and args == ['pickle'])]
        need(not bad, f'{args} prints {bad[:3]!r}')
    need([t['name'] for t in run(brine, 'ls', '--json', path).json()['tensors']] == names, '--json changes names')
    r = run(brine, 'ls', '--at', '\x1b[31m\n', path)
    need(not r.refused(), f'control characters in a message: {r.refused()}')


def test_json_names_differ(brine, folder):
    path = os.path.join(folder, 'names.pth')
    plain = ['\U0001f600', '\ud83d', '\ude00', '\ude00\ud83d', '\uffff', '\uffff\ud83d', 'a"b\\c', '\x00\x1f\x7f', 'caf\u00e9 \u202e']
    odd = ['\ud83d\ude00', '\ud83d\uffff\ude00', '\ud83d\uffff\uffff\ude00', '\uffff\ude00', '\uffff\uffff\ude00']    # UTF-16 says some of them alike
    names = plain + odd
    with open(path, 'wb') as f: f.write(checkpoint(dict_of({n: tensor('0', (1,)) for n in names}), {'0': b'abcd'}))
    for args in (['stats', '--json'], ['ls', '--json']):
        r = run(brine, *args, path)
        got = [t['name'] for t in r.json()['tensors']]
        need(r.text().isascii() and got[:len(plain)] == plain, f'{args}: {got}')
        need(len(set(got)) == len(names), f'{args}: names that differ are one: {got[len(plain):]}')
    two = [os.fsencode(folder) + b'/' + name for name in (b'\xff', b'\xef\xbf\xbf\xed\xb3\xbf', b'\xed\xb3\xbf', b'\xfe')]
    files = [run(brine, 'ls', '--json', name).json()['error']['file'] for name in two]
    need(len(set(files)) == len(two), f'file names: {files}')


def test_closed_pipe(brine, folder):
    path = os.path.join(folder, 'many.pth')
    pickle = dict_of({f'layer.{i}.weight': tensor('0', (1,)) for i in range(20000)})
    with open(path, 'wb') as f: f.write(checkpoint(pickle, {'0': b'abcd'}))
    for args in (['ls'], ['ls', '--all', '--json'], ['show'], ['pickle']):
        p = subprocess.Popen([brine, *args, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        p.stdout.readline()
        p.stdout.close()
        noise, status = p.stderr.read(), p.wait(20)
        p.stderr.close()
        need(not noise and status in (0, 1, -signal.SIGPIPE), f'{args}, the reader gone: status {status}, {noise[:200]!r}')
        if os.path.exists('/dev/full'):
            with open('/dev/full', 'wb') as full: p = subprocess.run([brine, *args, path], stdout=full, stderr=subprocess.PIPE, timeout=20)
            need(p.returncode == 1 and len(p.stderr.splitlines()) == 1, f'{args}, the disk full: status {p.returncode}, {p.stderr[:200]!r}')


def numbers(shown):
    return [float(n) for n in re.findall(r'(?<![\w.])[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|inf|nan)(?![\w.])', shown)]


def test_cat_text(brine, folder):
    r = run(brine, 'cat', RESNET, 'fc.bias')
    need(r.status == 0 and not r.err, r.error())
    start = numbers(r.text())[-10:]
    need(start == [start[0] + 0.25 * i for i in range(10)] and len(start) == 10, f'fc.bias is not ten steps of 0.25: {r.text()!r}')
    r = run(brine, 'cat', golden('views.pth'), 'transposed')
    need(numbers(r.text())[-24:] == [0.25 * (6 * j + i) - 1 for i in range(6) for j in range(4)], f'a transposed view: {r.text()!r}')
    need(not run(brine, 'cat', RESNET, 'fc.nothing').refused(),
        f"a name that is not there: {run(brine, 'cat', RESNET, 'fc.nothing').refused()}")
    r = run(brine, 'cat', '--at', 'optimizer_state_dict.state.0', ADAM, 'exp_avg')
    need(r.status == 0 and len(numbers(r.text())) >= 6, f'--at in cat: {r.error()}')


def test_cat_npy(brine, folder):
    import numpy as np
    for name in ('transposed', 'scalar', 'empty', 'channels_last', 'conjugate', 'negative', 'expanded'):
        r = run(brine, 'cat', golden('views.pth'), name, '--npy')
        need(r.status == 0, r.error())
        a, want = np.load(io.BytesIO(r.out)), next(t for t in expected(golden('views.pth'))['tensors'] if t['name'] == name)
        need(list(a.shape) == want['shape'] and a.dtype.name == want['dtype'] and '%08x' % zlib.crc32(a.tobytes()) == want['crc32'],
            f'{name}: {a!r}')
    for t in expected(DTYPES)['tensors']:
        r = run(brine, 'cat', DTYPES, t['name'], '--npy')
        if t['dtype'] in ('bfloat16', 'complex32') or t['dtype'].startswith('float8'):
            need(r.status in (1, 2) and not r.out and '--cast' in r.error(),
                f'{t["dtype"]} as .npy without --cast: status {r.status}, {r.error()[:200]!r}')
            if t['dtype'] == 'complex32': continue
            r = run(brine, 'cat', DTYPES, t['name'], '--npy', '--cast', 'float32')
            need(r.status == 0 and np.load(io.BytesIO(r.out)).dtype == np.float32, f'{t["dtype"]} --cast float32: {r.error()}')
        else:
            a = np.load(io.BytesIO(r.out))
            need(a.dtype.name == t['dtype'] and list(a.shape) == t['shape'], f'{t["dtype"]}: {a.dtype} {a.shape}')
    out = os.path.join(folder, 'out.npy')
    r = run(brine, 'cat', RESNET, 'conv1.weight', '--npy', '-o', out)
    need(r.status == 0 and not r.out and np.load(out).shape == (4, 3, 3, 3), f'-o: {r.error()}')


def test_pickle(brine, folder):
    for name in sorted(n for n in os.listdir(GOLDEN) if n.endswith('.pth') and 'legacy' not in n):
        with zipfile.ZipFile(golden(name)) as z: data = z.read(next(n for n in z.namelist() if n.endswith('/data.pkl')))
        want = [(at, op.name) for op, _, at in pickletools.genops(data)]
        r = run(brine, 'pickle', golden(name))
        need(r.status == 0, r.error())
        got = [(int(m[1]), m[2]) for m in re.finditer(r'^\s*(\d+):?\s+(?:\S\s+)?([A-Z][A-Z0-9_]+)\b', r.text(), re.M)]
        other = next(((g, w) for g, w in zip(got, want) if g != w), None)
        need(got == want, f'{name}: {len(got)} opcodes, Python has {len(want)}; the first other: {other}')
    with open(golden('legacy.pth'), 'rb') as f: want = sum(1 for _ in range(5) for _ in pickletools.genops(f))
    r = run(brine, 'pickle', golden('legacy.pth'))
    got = len(re.findall(r'^\s*\d+:?\s+(?:\S\s+)?[A-Z][A-Z0-9_]+\b', r.text(), re.M))
    need(r.status == 0 and got == want, f'legacy.pth: {got} opcodes in five pickles, Python has {want}: {r.error()}')


if __name__ == '__main__':
    sys.exit(run_tests(globals(), command()))
