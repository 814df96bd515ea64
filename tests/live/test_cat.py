# SPDX-License-Identifier: MIT
"""test_cat.py BRINE: `cat` and `show --json`, by PyTorch and numpy: values of tensors and arrays as text and as .npy, files that are not replaced,
terminals, memory; the tree as JSON.
"""
import collections
import io
import json
import os
import pty
import subprocess
import sys
import tempfile
import warnings

from common import command, run, run_tests

try:
    import numpy as np
    import torch
except ImportError:
    print('PyTorch and numpy are not here')
    sys.exit(77)

ARRAYS = {'float64': np.arange(6.).reshape(2, 3), 'fortran': np.asfortranarray(np.arange(6).reshape(2, 3)), 'bool': np.array([True, False]), 'complex': np.array([1 + 2j, 3]),
          'empty': np.zeros((0, 3)), 'scalar': np.float32(2.5), 'zero-d': np.array(7), 'half': np.arange(3, dtype=np.float16), 'uint64': np.array([2 ** 63], dtype=np.uint64),
          'texts': np.array([['ab', "it's"], ['', '\u00e7 \U0001f600']]), 'bytes': np.array([b'ab', b'c']), 'dates': np.array(['2020-01-01'], dtype='M8[D]'),
          'structure': np.array([(1, 2.5)], dtype=[('x', '<i4'), ('y', '<f8')]), 'names': np.array([(1,)], dtype=[('\u00e7', '<i4')])}
TEXT = {'float64': '0 1 2\n3 4 5\n', 'fortran': '0 1 2\n3 4 5\n', 'bool': 'True False\n', 'complex': '1+2j 3+0j\n', 'empty': '', 'scalar': '2.5\n', 'zero-d': '7\n', 'half': '0 1 2\n',
        'uint64': '9223372036854775808\n', 'dates': '2020-01-01\n', 'texts': "'ab' 'it's'\n'' '\u00e7 \U0001f600'\n", 'bytes': "b'ab' b'c'\n"}


def need(condition, why):
    if not condition: raise AssertionError(why)


def save(folder, value, name='c.pt'):
    path = os.path.join(folder, name)
    torch.save(value, path)
    return path


def test_arrays(brine, folder):
    path = save(folder, {'in': ARRAYS, 'objects': np.array([1, 'x'], dtype=object)})
    for name, array in ARRAYS.items():
        r = run(brine, 'cat', path, 'in.' + name, '--npy')
        need(r.status == 0, f'{name}: {r.error()}')
        got = np.load(io.BytesIO(r.out))
        need(got.dtype == np.asarray(array).dtype and got.shape == np.shape(array) and np.array_equal(got, array), f'{name}: {got!r}')
        r = run(brine, 'cat', path, name, '--at', 'in')
        if name in TEXT: need(r.status == 0 and r.text() == TEXT[name], f'{name}: {r.text()!r} {r.error()}')
        else: need(r.status == 1 and '--npy' in r.error(), f'{name}: {r.text()!r} {r.error()}')
    r = run(brine, 'cat', path, 'in.float64', '--npy', '--cast', 'fp16')
    need(np.load(io.BytesIO(r.out)).dtype == np.float16, f'--cast: {r.error()}')
    for args in (['objects'], ['in.texts', '--cast', 'fp16'], ['in.nothing'], ['in'], ['float64', '--at', 'nowhere']):
        need(not run(brine, 'cat', path, *args).refused(), f'{args}: {run(brine, "cat", path, *args).refused()}')


def test_files(brine, folder):
    path, out = save(folder, {'w': torch.arange(6.).view(2, 3)}), os.path.join(folder, 'w.npy')
    need(run(brine, 'cat', path, 'w', '--npy', '-o', out).status == 0 and np.load(out).shape == (2, 3), '-o')
    with open(out, 'wb') as f: f.write(b'precious')
    r = run(brine, 'cat', path, 'w', '--npy', '-o', out)
    need(not r.refused() and '--force' in r.error() and open(out, 'rb').read() == b'precious', f'replaced: {r.error()}')
    need(run(brine, 'cat', path, 'nothing', '--npy', '-o', out, '--force').status == 1 and open(out, 'rb').read() == b'precious', 'a failure replaced the file')
    need(run(brine, 'cat', path, 'w', '--npy', '-o', out, '--force').status == 0 and np.load(out).shape == (2, 3), '--force')
    need(run(brine, 'cat', path, 'w', '-o', '-').text() == '0 1 2\n3 4 5\n', '-o -')
    need(not run(brine, 'cat', path, 'w', '-o', os.path.join(folder, 'no', 'where')).refused(), 'a folder that is not there')
    large = save(folder, {'w': torch.zeros(1_000_000)}, 'large.pt')
    p = subprocess.run(['bash', '-c', f'ulimit -f 100; "{brine}" cat "{large}" w --npy -o "{out}" --force'], capture_output=True)
    need(p.returncode == 1 and np.load(out).shape == (2, 3), f'a limit of file size: {p}')
    p = subprocess.run(['bash', '-c', f'ulimit -f 1; "{brine}" pickle "{save(folder, {str(i): i for i in range(99)}, "many.pt")}" > "{out}.txt"'], capture_output=True)
    need(p.returncode == 1 and b'standard output: ' in p.stderr, f'a limit of file size, on standard output: {p}')
    os.unlink(out + '.txt')
    need(sorted(os.listdir(folder)) == ['c.pt', 'large.pt', 'many.pt', 'w.npy'], f'left behind: {os.listdir(folder)}')


def test_terminals(brine, folder):
    path = save(folder, {'w': torch.ones(2)})
    ours, theirs = pty.openpty()
    for args in (['cat', path, 'w', '--npy'], ['convert', path, '-']):
        p = subprocess.run([brine, *args], stdout=theirs, stderr=subprocess.PIPE)
        need(p.returncode == 2 and b'terminal' in p.stderr, f'{args}: {p}')
    for args in (['cat', path, 'w', '--npy', '-o', os.ttyname(theirs), '--force'], ['convert', path, os.ttyname(theirs), '--force']):
        p = subprocess.run([brine, *args], capture_output=True)
        need(p.returncode == 2 and b'terminal' in p.stderr, f'{args}: {p}')
    need(subprocess.run([brine, 'cat', path, 'w'], stdout=theirs).returncode == 0 and os.read(ours, 100).strip() == b'1 1', 'text goes to a terminal')
    os.close(ours), os.close(theirs)


def test_memory(brine, folder):
    path = save(folder, {'w': torch.arange(20_000_000.), 'a': np.zeros(10), 't': torch.arange(4_000_000.).view(2000, 2000).t()})
    for args, most in ((['w', '--npy'], 60), (['w', '--npy', '--cast', 'float64'], 60), (['t'], 60)):
        p = subprocess.run(['bash', '-c', f'ulimit -v {most * 1024}; exec "$@" > /dev/null', 'brine', brine, 'cat', path, *args, '--no-mmap'], capture_output=True)
        need(p.returncode == 0, f'{args} in {most} MiB: {p}')
    few = save(folder, {'w': torch.zeros(1).expand(10 ** 6, 10 ** 6), 'small': torch.ones(1).expand(3, 2)}, 'few.pt')
    r = run(brine, 'cat', few, 'w')
    need(not r.refused() and '--force' in r.error(), f'a giant view: {r.error()}')
    need(run(brine, 'cat', few, 'small').text() == '1 1\n1 1\n1 1\n', 'a small one')


def test_tree(brine, folder):
    loop = []
    loop.append(loop)
    metadata = collections.OrderedDict(w=torch.ones(2))
    metadata._metadata = {'': {'version': 1}}
    wrapped = torch.nn.Parameter(torch.ones(2))
    value = {'none': None, 'true': True, 'int': 3, 'big': 2 ** 70, 'float': 0.5, 'nan': float('nan'), 'text': 'caf\u00e9', 'long': 'x' * 2000, 'bytes': b'\x00\xff', 'complex': 1 + 2j,
             'list': [1, [2, []]], 'tuple': (1, 2), 'set': {1}, 'deque': collections.deque([1]), 'ordered': metadata, 'keys': {1: 'a', (1, 'b'): 'c', None: 'd'}, 'loop': loop,
             'twice': [{'x': 1}] * 2, 'tensor': torch.ones(2, 3).half(), 'parameter': wrapped, 'array': np.arange(3), 'scalar': np.float64(0.5), 'dtype': torch.float32,
             'size': torch.Size([1, 2]), 'objects': np.array([None, 'x'], dtype=object)}
    path = save(folder, value)
    got = run(brine, 'show', path, '--json').json()
    need((got['format'], got['protocol'], got['at'], got['complete']) == ('zip', 2, '', True) and got['file'] == path, str(got)[:200])
    tree = got['tree']['dict']
    same = {'none': None, 'true': True, 'int': 3, 'big': {'int': str(2 ** 70)}, 'float': 0.5, 'nan': {'float': 'nan'}, 'text': 'caf\u00e9', 'long': {'str': 'x' * 1000 + '\u2026', 'size': 2000},
            'bytes': {'bytes': '00ff', 'size': 2}, 'complex': {'complex': [1, 2]}, 'list': [1, [2, []]], 'tuple': {'tuple': [1, 2]}, 'set': {'set': [1]},
            'keys': {'dict': [[1, 'a'], [{'tuple': [1, 'b']}, 'c'], [None, 'd']]}, 'loop': [{'again': 'list'}], 'twice': [{'dict': {'x': 1}}, {'again': 'dict'}],
            'tensor': {'Tensor': {'dtype': 'float16', 'shape': [2, 3], 'device': 'cpu', 'requires_grad': False}},
            'parameter': {'Parameter': {'dtype': 'float32', 'shape': [2], 'device': 'cpu', 'requires_grad': True}}, 'array': {'numpy.ndarray': {'dtype': '<i8', 'shape': [3]}},
            'scalar': {'numpy.scalar': {'dtype': '<f8', 'shape': [], 'value': 0.5}}, 'dtype': {'global': 'torch.float32'}, 'size': {'torch.Size': [1, 2]},
            'objects': {'numpy.ndarray': {'dtype': '|O', 'shape': [2], 'items': [None, 'x']}}}
    for name, want in same.items(): need(tree[name] == want, f'{name}: {tree[name]}')
    need(tree['ordered']['collections.OrderedDict'].keys() == {'w'} and tree['ordered']['state'] == {'dict': {'_metadata': {'dict': {'': {'dict': {'version': 1}}}}}}, str(tree['ordered']))
    need(list(tree['deque'])[0] == 'collections.deque', str(tree['deque']))
    got = run(brine, 'show', path, '--json', '--at', 'list').json()
    need(got['at'] == 'list' and got['tree'] == [1, [2, []]], str(got))
    got = run(brine, 'show', path, '--json', '--items', '1', '--depth', '1').json()
    need(got['tree'] == {'dict': {'none': None}, 'size': len(value_keys(path, brine))} and not got['complete'], str(got))
    need(not run(brine, 'show', path, '--json', '--at', 'nowhere').refused(), '--at nowhere')
    deep = []
    for _ in range(600): deep = [deep]
    sys.setrecursionlimit(10000)
    got = run(brine, 'show', save(folder, deep, 'deep.pt'), '--json')
    need(not got.json()['complete'] and len(got.out) < 2000, f'a deep tree: {got.text()[:200]}')
    laugh = [0] * 10
    for _ in range(9): laugh = [list(laugh) for _ in range(1)] * 10
    need(len(run(brine, 'show', save(folder, laugh, 'laugh.pt'), '--json').out) < 10000, 'shared containers multiply')


def value_keys(path, brine):
    return run(brine, 'show', path, '--json').json()['tree']['dict']


if __name__ == '__main__':
    warnings.simplefilter('ignore')
    sys.exit(run_tests(globals(), command()))
