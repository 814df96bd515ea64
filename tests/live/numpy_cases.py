# SPDX-License-Identifier: MIT
"""numpy's arrays of every kind that a checkpoint can hold, by name; for test_numpy.py."""
import numpy as np

NUMBERS = '?bBhHiIqQefdgFDG'


def numbers(code):
    """A matrix of this type with its extremes."""
    dtype = np.dtype(code)
    if dtype.kind == 'b': values = [True, False, True, False, False, True]
    elif dtype.kind in 'iu': values = [0, 1, np.iinfo(dtype).max, np.iinfo(dtype).min, 7, 100]
    else: values = [0.1, -0.0, np.inf, np.nan, np.finfo(dtype).max, np.finfo(dtype).tiny]
    out = np.array(values, dtype).reshape(2, 3)
    if dtype.kind == 'c': out.imag[:] = out.real[::-1, ::-1]
    return out


def in_order(array, order):
    return array.astype(array.dtype.newbyteorder(order))


def number_arrays():
    for code in NUMBERS:
        a = numbers(code)
        for order in '<>':
            b = in_order(a, order)
            kinds = {'C': b, 'F': np.asfortranarray(b), 'axes': np.stack([b, b]).transpose(1, 0, 2), '0-d': np.array(b[0, 0], b.dtype), 'row': b[:, 1], 'none': b[:0],
                     'none F': np.zeros((3, 0, 2), b.dtype, 'F')}
            for name, array in kinds.items(): yield f'{code}{order}{name}', array


def text_arrays():
    texts = np.array([['ab', "it's", ''], ['\u00e7\U0001f600', 'a\0b', '\\']])
    for order in '<>':
        yield from {f'U{order}': in_order(texts, order), f'U{order}F': np.asfortranarray(in_order(texts, order)), f'U{order}0-d': in_order(np.array('ab'), order)}.items()
    yield from {'S': np.array([b'ab', b"it's", b'', b'\xff\0\x01\\']), 'U0': np.zeros(3, 'U0'), 'S0': np.zeros((2, 0), 'S0'), 'U none': np.zeros((0,), 'U7')}.items()


def date_arrays():
    for unit in ('Y', 'M', 'W', 'D', 'h', 'm', 's', 'ms', 'us', 'ns', 'ps', 'fs', 'as', '25s', '3D', '2W', '7Y', '5M', '10ms'):
        for kind in 'Mm':
            a = np.array([[0, 1, -1], [1234567, -7654321, np.iinfo(np.int64).min]]).view(f'{kind}8[{unit}]')
            for order in '<>': yield f'{kind}[{unit}]{order}', in_order(a, order)
    yield 'M generic', np.array(['NaT'], 'M8')
    yield 'm generic', np.array([5, -1], 'm8')
    yield 'M far', np.array([-4611686018427387904, 4611686018427387904, 59 * 365, -146097 * 8], 'M8[s]')
    yield 'M end', np.array([np.iinfo(np.int64).max], 'M8[D]')


def structures():
    xy = np.dtype([('x', '<i4'), ('y', '<f8')])
    for name, dtype in {'plain': xy, 'big': [('x', '>i4'), ('y', '>f8')], 'mixed': [('x', '>i4'), ('y', '<f8')],
                        'aligned': np.dtype([('a', 'i1'), ('b', 'f8'), ('c', 'i2')], align=True), 'nested': [('a', xy, (2,)), ('b', [('c', 'U3'), ('d', 'M8[us]')])],
                        'subarrays': [('a', '<f4', (2, 3)), ('b', '>i2', 3)], 'void': [('v', 'V3'), ('s', 'S2')],
                        'names': [('\u00e7 "\'', '<i4'), ('y\\', '<f8')], 'titles': [(('a title', 'x'), '<i4'), ('y', '<f8')], 'one': [('', '<f8')],
                        'apart': np.dtype({'names': ['a', 'b'], 'formats': ['<i2', '<i2'], 'offsets': [2, 8], 'itemsize': 16}),
                        'overlapping': np.dtype({'names': ['a', 'b'], 'formats': ['<i4', '<i2'], 'offsets': [0, 2]}),
                        'out of order': np.dtype({'names': ['a', 'b'], 'formats': ['<i4', '<i4'], 'offsets': [4, 0]}),
                        'no fields': np.dtype([]), 'long': np.dtype([('g', 'g'), ('G', 'G')]), 'metadata': np.dtype('<f4', metadata={'unit': 'm'}),
                        'fields of objects': np.dtype([('a', 'i4'), ('o', 'O')])}.items():
        dtype = np.dtype(dtype)
        bytes_ = np.arange(4 * dtype.itemsize, dtype=np.uint8)
        if dtype.hasobject: array = np.array([(1, {'in': np.arange(2)}), (2, None)], dtype)
        else: array = np.frombuffer(bytes_.tobytes(), dtype).reshape(2, 2) if dtype.itemsize else np.zeros((2, 2), dtype)
        yield from {name: array, name + ' F': np.asfortranarray(array), name + ' none': array[:0]}.items()
        if not dtype.hasobject: yield name + ' 0-d', np.array(array[1, 1], dtype)
    yield 'V', np.frombuffer(b'abcdef', 'V3')
    yield 'V0', np.zeros(2, 'V0')


def subclasses(folder):
    a = np.arange(6.).reshape(2, 3)
    mapped = np.memmap(folder + '/mapped', np.float32, 'w+', shape=(2, 2))
    mapped[:] = [[1, 2], [3, 4]]
    yield from {'matrix': np.asmatrix(a), 'matrix F': np.asmatrix(np.asfortranarray(a)), 'memmap': mapped, 'chararray': np.char.array(['ab', 'c']),
                'recarray': np.rec.array([(1, 2.5), (3, 4.5)], dtype=[('x', '<i4'), ('y', '<f8')])}.items()


def objects():
    """What has no plain elements; and what ls says of those that are arrays."""
    held = np.empty(5, object)
    held[:] = [1, 'x', None, np.arange(3), [np.ones(2)]]
    values = {'objects': held, 'none': np.array(None, dtype=object), 'turned': np.array([[1, 2], [3, 4]], dtype=object, order='F'),
              'structure': np.array([(1, {'in': np.arange(2)})], [('a', 'i4'), ('o', 'O')]), 'record': np.array([(1, {'in': np.arange(2)})], [('a', 'i4'), ('o', 'O')])[0],
              'masked': np.ma.array([1.5, 2], mask=[0, 1]), 'ufunc': np.add, 'dtype': np.dtype('>f4'), 'a generator': np.random.default_rng(0), 'a state': np.random.RandomState(0)}
    dtypes = {'objects': '|O', 'none': '|O', 'turned': '|O', 'structure': '|V12'}
    if hasattr(getattr(np, 'dtypes', None), 'StringDType'):
        values.update(strings=np.array(['a', 'bc'], np.dtypes.StringDType()), **{'strings or None': np.array(['a', None], np.dtypes.StringDType(na_object=None))})
        dtypes.update({'strings': '|T16', 'strings or None': '|T16'})
    return values, dtypes


def scalars():
    for code in NUMBERS:
        for i, value in enumerate(numbers(code).flat): yield f'{code}{i}', value
    record = [(1, 2.5)], [('x', '<i4'), ('y', '<f8')]
    yield from {'str': np.str_('\u00e7 it'), 'empty str': np.str_(''), 'bytes': np.bytes_(b'ab\0\xff'), 'date': np.datetime64('2020-02-29T12:30'), 'delta': np.timedelta64(-5, 'h'),
                'void': np.void(b'abc'), 'structure': np.array(*record)[0], 'record': np.rec.array(record[0], dtype=record[1])[0]}.items()
