#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds brine::convert against tensor.to() of the PyTorch this Python has: convert_check.py path/to/convert_check

Every pair of real and complex dtypes; all bit patterns of types of up to 16 bits; for wider ones specials, ties and random bits.
Prints "N pairs compared, N differ" and exits with 1 if any differ.
"""
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch

INTEGERS = {'uint8': (0, 2**8), 'int8': (-2**7, 2**7), 'int16': (-2**15, 2**15), 'int32': (-2**31, 2**31), 'int64': (-2**63, 2**63),
            'uint16': (0, 2**16), 'uint32': (0, 2**32), 'uint64': (0, 2**64)}
SMALL = ['float16', 'bfloat16', 'float8_e5m2', 'float8_e4m3fn', 'float8_e5m2fnuz', 'float8_e4m3fnuz', 'float8_e8m0fnu']
COMPLEX = {'complex32': 'float16', 'complex64': 'float32', 'complex128': 'float64', 'bcomplex32': 'bfloat16'}
NAMES = ['bool', *INTEGERS, *SMALL, 'float32', 'float64', *COMPLEX]

SIZES = {'bool': 1, 'float32': 4, 'float64': 8, 'float16': 2, 'bfloat16': 2, 'complex32': 4, 'bcomplex32': 4, 'complex64': 8,
         'complex128': 16, **{n: 1 for n in SMALL if n.startswith('float8')},
         **{n: (end - begin).bit_length() // 8 for n, (begin, end) in INTEGERS.items()}}

rng = np.random.default_rng(20)


def as_tensor(data, dtype):
    return torch.frombuffer(bytearray(data), dtype=torch.uint8).view(dtype)


def as_bytes(tensor):
    tensor = torch.view_as_real(tensor) if tensor.dtype in (torch.complex64, torch.complex128) else tensor
    return tensor.contiguous().view(torch.uint8).numpy().tobytes()


def float_values():
    """Every value of the small types, halfway between neighbours, and just beside both; powers of two; random numbers and bits."""
    parts = []
    for name in SMALL:
        if hasattr(torch, name):
            patterns = np.arange(2**(8 * SIZES[name])).astype('u%d' % SIZES[name]).tobytes()
            values = as_tensor(patterns, getattr(torch, name)).to(torch.float32).to(torch.float64).numpy()
            values = np.unique(values[np.isfinite(values)])
            parts += [values, (values[1:] + values[:-1]) / 2]
    near = np.concatenate(parts)
    near = np.concatenate([near, near * (1 + 2.0**-23), near * (1 - 2.0**-24), near * (1 + 2.0**-40), near * (1 - 2.0**-40)])
    powers = np.concatenate([2.0**np.arange(-1074, 1024), [2.0**k * 1.5 for k in range(-150, 128)]])
    edges = np.array([(1 - 2.0**-25) * 2.0**k for k in range(-150, 129)] 
                     + [3.4e38, 3.4028235677973366e38, 1e39, 65504, 65519.99, 65520, 448, 464, 465])
    whole = np.array([s * (2.0**k + d) for k in range(65) for d in (-1, -0.5, 0, 0.5, 1) for s in (1, -1)])
    specials = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, -np.nan, 5e-324, 1e-45, 1e-40])
    noise = rng.standard_normal(20000) * 10.0**rng.uniform(-45, 45, 20000)
    return np.concatenate([near, powers, -powers, edges, -edges, whole, specials, noise])


def integer_values(bits):
    values = [s * (2**k + d) for k in range(65) for d in range(-2, 3) for s in (1, -1)]
    values += [2**24 + 1, 2**53 + 1, 2**62 + 2**38 + 1, 2**63 - 2**38, 2**63 + 2**39 + 1, 65519, 65520, 65521]
    values += [int(v) >> int(k) for v, k in zip(rng.integers(0, 2**63, 20000), rng.integers(0, 63, 20000))]
    return np.array([v % 2**bits for v in values], dtype=np.uint64).astype('u%d' % (bits // 8))


def patterns(name):
    """The elements to convert, as bytes."""
    size = SIZES[name]
    with np.errstate(all='ignore'):
        if name in COMPLEX:
            size //= 2
            parts = np.frombuffer(patterns(COMPLEX[name]), dtype='u%d' % size)
            other = rng.permutation(parts)
            pairs = [np.stack([parts, other], 1), np.stack([np.zeros_like(parts), parts], 1), np.stack([parts, np.zeros_like(parts)], 1)]
            return np.concatenate(pairs).tobytes()
        if size <= 2:
            return np.arange(2**(8 * size)).astype('u%d' % size).tobytes()
        if name in INTEGERS:
            return integer_values(8 * size).tobytes()
        random_bits = rng.integers(0, 2**64, 50000, dtype=np.uint64).astype('u%d' % size)
        return float_values().astype('f%d' % size).tobytes() + random_bits.tobytes()


def parts_of(data, name):
    """A list of arrays of bit patterns, one for each part of a number."""
    count = 2 if name in COMPLEX else 1
    array = np.frombuffer(data, dtype='u%d' % (SIZES[name] // count)).reshape(-1, count)
    return [array[:, i] for i in range(count)]


def is_nan(bits, name):
    if name in INTEGERS or name == 'bool':
        return np.zeros(bits.shape, bool)
    return np.isnan(as_tensor(bits.tobytes(), getattr(torch, name)).to(torch.float32).numpy())


def undefined(source, source_name, target_name):
    """Elements whose conversion PyTorch leaves open."""
    nothing = np.zeros(len(source) // SIZES[source_name], bool)
    if source_name in INTEGERS or source_name == 'bool':
        return nothing
    parts = parts_of(source, source_name)
    part = COMPLEX.get(source_name, source_name)
    values = [as_tensor(bits.tobytes(), getattr(torch, part)).to(torch.float64).numpy() for bits in parts]
    if target_name == 'bool' and len(values) == 2 and torch.__version__ < '2':
        return (values[0] == 0) & (values[1] != 0)  # 1.13 looks at the real part alone
    if target_name in INTEGERS:
        begin, end = INTEGERS[target_name]
        with np.errstate(invalid='ignore'):
            inside = (np.trunc(values[0]) >= begin) & (np.trunc(values[0]) < float(end))
        return ~inside  # float → int out of range, infinity and NaN: undefined in C++, and varies with the tensor's length
    return nothing


def compare(source_name, target_name, source, program, folder):
    """None when PyTorch has no such conversion, else the indices of elements that differ, and both results."""
    try:
        expected = as_bytes(as_tensor(source, getattr(torch, source_name)).to(getattr(torch, target_name), copy=True))
    except (RuntimeError, NotImplementedError) as error:
        print(f'  {source_name} -> {target_name}: not in this PyTorch: {str(error).splitlines()[0]}')
        return None
    paths = [os.path.join(folder, name) for name in ('in', 'out')]
    with open(paths[0], 'wb') as file:
        file.write(source)
    subprocess.run([program, source_name, target_name, *paths], check=True)
    with open(paths[1], 'rb') as file:
        found = file.read()
    assert len(found) == len(expected)
    wrong = np.zeros(len(source) // SIZES[source_name], bool)
    part = COMPLEX.get(target_name, target_name)
    for a, b in zip(parts_of(expected, target_name), parts_of(found, target_name)):
        wrong |= (a != b) & ~(is_nan(a, part) & is_nan(b, part))  # the sign and payload of NaNs vary within PyTorch
    wrong &= ~undefined(source, source_name, target_name)
    return np.flatnonzero(wrong), expected, found


def element(data, name, index):
    size = SIZES[name]
    raw = data[index * size:(index + 1) * size]
    return raw[::-1].hex() if name not in COMPLEX else raw[:size // 2][::-1].hex() + ',' + raw[size // 2:][::-1].hex()


def check(program):
    """How many pairs were compared, and how many of them differ."""
    warnings.simplefilter('ignore')
    names = [name for name in NAMES if hasattr(torch, name)]
    compared = differ = 0
    with tempfile.TemporaryDirectory() as folder:
        for source_name in names:
            source = patterns(source_name)
            for target_name in names:
                result = compare(source_name, target_name, source, program, folder)
                if result is None:
                    continue
                compared += 1
                wrong, expected, found = result
                if len(wrong):
                    differ += 1
                    shown = '; '.join(f'{element(source, source_name, i)}: {element(expected, target_name, i)} here '
                                      f'{element(found, target_name, i)}' for i in wrong[:4])
                    print(f'  {source_name} -> {target_name}: {len(wrong)} of {len(source) // SIZES[source_name]} differ: {shown}')
    print(f'PyTorch {torch.__version__}: {compared} pairs compared, {differ} differ')
    return compared, differ


if __name__ == '__main__':
    sys.exit(1 if check(sys.argv[1])[1] else 0)
