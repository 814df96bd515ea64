# SPDX-License-Identifier: MIT
"""test_numpy.py BRINE: numpy's arrays and scalars, by numpy itself: dtype, shape and CRC as `ls` lists them, elements as `cat` prints them and as numpy.load
reads them from `cat --npy`, in the pickles of torch.save and in those of protocol 5.
"""
import ast
import io
import os
import sys
import warnings
import zlib

from common import command, run, run_tests

try:
    import numpy as np
    import torch

    import numpy_cases as cases
except ImportError:
    print('PyTorch and numpy are not here')
    sys.exit(77)



def row_major(a):
    """The bytes of all elements; of structures those between their fields, too, which numpy itself does not copy."""
    return np.ascontiguousarray(a.view(f'V{a.dtype.itemsize}') if a.dtype.names and not a.dtype.hasobject and a.size else a).tobytes()


def need(condition, why):
    if not condition: raise AssertionError(why)


def saved(folder, values):
    """Saved in both protocols: (path, what torch.load gives)."""
    for protocol in (2, 5):
        path = os.path.join(folder, f'{protocol}.pt')
        torch.save(values, path, pickle_protocol=protocol)
        yield path, torch.load(path, weights_only=False)


def text_of(array):
    """The elements as numpy says them, in one order with cat's; None where cat prints none."""
    kind = array.dtype.kind
    if kind == 'b': return [str(x) for x in array.flat]
    if kind in 'iu': return [str(x) for x in array.flat]
    if kind == 'm': return ['NaT' if np.isnat(x) else str(x.astype(np.int64)) for x in array.ravel()]
    if kind == 'M': return [str(x) for x in np.datetime_as_string(array.ravel())]
    if kind == 'S': return [x for x in array.flat]
    if kind == 'V' and array.dtype.names is None: return [x.tobytes() for x in array.flat]
    return None


def texts_differ(array, text):
    tokens = text.split()
    if array.dtype.kind in 'SV': tokens = [ast.literal_eval(t) for t in tokens]
    if array.dtype.kind in 'fc' and array.dtype.itemsize <= 16 and array.dtype.char not in 'gG':
        want = np.asarray(array).ravel()
        got = np.array([complex(t) if array.dtype.kind == 'c' else float(t) for t in tokens]).astype(array.dtype)
        return None if np.array_equal(want.view(np.uint8), got.view(np.uint8)) or (repr(want.tolist()) == repr(got.tolist())) else f'{got} is not {want}'
    want = text_of(array)
    return None if want is None or tokens == want else f'{tokens[:8]} is not {want[:8]}'


def npy_differs(brine, path, name, array):
    """cat --npy against the array; what numpy itself cannot save has to be refused."""
    r = run(brine, 'cat', path, name, '--npy')
    try:
        np.save(io.BytesIO(), array, allow_pickle=False)
    except (ValueError, TypeError, NotImplementedError) as e:
        return None if r.status == 1 and not r.refused() else f'numpy says {e}, cat: status {r.status}, {r.out[:80]} {r.error()}'
    if r.status != 0: return f'cat --npy: {r.error()}'
    got = np.load(io.BytesIO(r.out))
    if got.dtype != array.dtype or got.dtype.str != array.dtype.str: return f'dtype {got.dtype!r}, not {array.dtype!r}'
    if got.shape != array.shape: return f'shape {got.shape}, not {array.shape}'
    if row_major(got) == row_major(array): return None
    loose = array.dtype.names or array.dtype.char in 'gG'                              # with bytes that are nobody's
    return None if loose and repr(got.tolist()) == repr(array.tolist()) else f'{got!r} is not {array!r}'


def check(brine, folder, arrays, printed=True):
    wrong = []
    for path, loaded in saved(folder, dict(arrays)):
        rows = {row['name']: row for row in run(brine, 'ls', '--all', '--json', '--crc', path).json()['arrays']}
        for name, a in loaded.items():
            row = rows.get(name)
            want = {'name': name, 'dtype': a.dtype.str, 'shape': list(a.shape), 'nbytes': a.nbytes, 'crc32': '%08x' % zlib.crc32(row_major(a))}
            if a.dtype.hasobject: want.update(nbytes=0, crc32=None)
            if row != want: wrong.append(f'{name}: ls: {row}, not {want}')
            why = npy_differs(brine, path, name, a)
            if why: wrong.append(f'{name}: {why}')
            r = run(brine, 'cat', path, name)
            if r.status == 0: why = texts_differ(a, r.text())
            else: why = r.refused() or (f'not printed: {r.error()}' if printed else None)
            if why: wrong.append(f'{name}: cat: {why}')
    need(not wrong, f'{len(wrong)} differ: ' + '\n  '.join(wrong[:25]))


def test_numbers(brine, folder): check(brine, folder, ((n, a) for n, a in cases.number_arrays() if n[0] not in 'gG'))
def test_long_numbers(brine, folder): check(brine, folder, ((n, a) for n, a in cases.number_arrays() if n[0] in 'gG'), False)
def test_texts(brine, folder): check(brine, folder, cases.text_arrays())
def test_dates(brine, folder): check(brine, folder, cases.date_arrays())
def test_structures(brine, folder): check(brine, folder, cases.structures(), False)
def test_subclasses(brine, folder): check(brine, folder, cases.subclasses(folder), False)


def test_scalars(brine, folder):
    """Each by cat and by cat --npy, as an array of no dimensions; as JSON the Python value that it equals, or its bytes."""
    wrong = []
    for path, loaded in saved(folder, dict(cases.scalars())):
        tree = run(brine, 'show', path, '--json', '--items', '1000').json()['tree']['dict']
        for name, value in loaded.items():
            got, plain = tree[name]['numpy.scalar'], value.item()
            if value.dtype.char in 'gG': got['value'], want = got['value']['size'], value.nbytes
            elif value.dtype.kind in 'mMV': want = {'bytes': value.tobytes().hex(), 'size': value.nbytes}
            elif isinstance(plain, bytes): want = {'bytes': plain.hex(), 'size': len(plain)}
            elif isinstance(plain, complex): want = {'complex': [x if np.isfinite(x) else str(x) for x in (plain.real, plain.imag)]}
            elif isinstance(plain, float) and not np.isfinite(plain): want = {'float': str(plain)}
            else: want = {'int': str(plain)} if isinstance(plain, int) and plain >= 2 ** 63 else plain
            same_class = isinstance(want, bool) == isinstance(got['value'], bool)
            if (got['dtype'], got['shape'], got['value']) != (value.dtype.str, [], want) or not same_class: wrong.append(f'{name}: {got}, not {want}')
            why = npy_differs(brine, path, name, np.asarray(value))
            r = run(brine, 'cat', path, name)
            if r.status == 0: why = why or texts_differ(np.asarray(value), r.text()) if value.dtype.kind != 'U' else None
            elif value.dtype.char not in 'gGV': why = f'not printed: {r.error()}'
            if why: wrong.append(f'{name}: {why}')
    need(not wrong, f'{len(wrong)} differ: ' + '\n  '.join(wrong[:25]))


def test_objects(brine, folder):
    """What holds objects is walked, and has neither text nor .npy; so it is with what is no one array."""
    values, dtypes = cases.objects()
    for path, loaded in saved(folder, values):
        rows = {row['name']: row for row in run(brine, 'ls', '--all', '--json', '--crc', path).json()['arrays']}
        for name, dtype in dtypes.items():
            if dtype != '|O': need((rows[name]['dtype'], rows[name]['shape'], rows[name]['crc32']) == (dtype, list(values[name].shape), None), f'{name}: {rows[name]}')
        state = values['a state'].get_state(legacy=False)['state']['key']
        held = {'objects.3': np.arange(3), 'objects.4.0': np.ones(2), 'structure.0.1.in': np.arange(2), 'a state.state.key': state}
        for name, array in held.items(): need(name in rows and rows[name]['crc32'] == '%08x' % zlib.crc32(array.tobytes()), f'{name} of {list(rows)}: {rows.get(name)}')
        for name in values:
            for npy in ((), ('--npy',)):
                r = run(brine, 'cat', path, name, *npy)
                need(not r.refused() and r.kind() in ('usage', 'unsupported'), f'{name} {npy}: {r.refused()} {r.error()}')


if __name__ == '__main__':
    warnings.simplefilter('ignore')
    sys.exit(run_tests(globals(), command()))
