# SPDX-License-Identifier: MIT
"""Writes the pickle of a state dict opcode by opcode, as torch.save would: for tests that need odd names or sizes, and no PyTorch."""
import struct


def text(s):
    raw = s.encode('utf-8', 'surrogatepass')
    return b'X' + struct.pack('<I', len(raw)) + raw


def integer(n):
    return b'J' + struct.pack('<i', n)


def tuple_of(*parts):
    return b'(' + b''.join(parts) + b't'


def tensor(key, shape, storage='FloatStorage', location='cpu', numel=None):
    """A contiguous tensor over the whole of storage `key`."""
    count, stride = 1, []
    for n in reversed(shape):
        stride.insert(0, count)
        count *= n
    storage_class, numel = f'ctorch\n{storage}\n'.encode(), integer(count if numel is None else numel)
    storage_id = tuple_of(text('storage'), storage_class, text(key), text(location), numel) + b'Q'
    sizes, strides = (tuple_of(*map(integer, numbers)) for numbers in (shape, stride))
    args = tuple_of(storage_id, integer(0), sizes, strides, b'\x89', b'ccollections\nOrderedDict\n)R')
    return b'ctorch._utils\n_rebuild_tensor_v2\n' + args + b'R'


def dict_of(entries):
    """entries: name -> bytes of a pickled value."""
    return b'\x80\x02}(' + b''.join(text(name) + value for name, value in entries.items()) + b'u.'
