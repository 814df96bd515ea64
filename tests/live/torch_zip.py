# SPDX-License-Identifier: MIT
"""Lays out a zip as torch.save does, with the standard library alone, so that tests can put any pickle and any storages into one.

Every record is stored, flags 0x0808 with the sizes in a data descriptor (0x0800 and none for an empty record), and padded with an "FB"
extra field to 64 bytes; the end is always a zip64 end record, its locator and the plain end record.
"""
import struct
import zlib


def record_list(pickle, storages=(), root='archive', byteorder=b'little'):
    """(name, bytes) of the records in PyTorch's order. storages: key -> bytes."""
    records = [('data.pkl', pickle)] + ([('byteorder', byteorder)] if byteorder else [])
    records += [(f'data/{key}', data) for key, data in dict(storages).items()]
    return [(f'{root}/{name}', data) for name, data in records + [('version', b'3\n')]]


def lay_out(records, alignment=64):
    """The bytes of an archive of (name, bytes)."""
    out, directory = bytearray(), bytearray()
    for name, data in records:
        full, at = name.encode(), len(out)
        crc, flags = (zlib.crc32(data), 0x0808) if data else (0, 0x0800)
        pad = -(at + 30 + len(full) + 4) % alignment
        out += struct.pack('<4sHHHHHIIIHH', b'PK\3\4', 0, flags, 0, 0, 0, 0, 0, 0, len(full), 4 + pad)
        out += full + struct.pack('<2sH', b'FB', pad) + b'Z' * pad + data
        if data: out += struct.pack('<4sIII', b'PK\7\10', crc, len(data), len(data))
        directory += struct.pack('<4sHHHHHHIII', b'PK\1\2', 0, 0, flags, 0, 0, 0, crc, len(data), len(data))
        directory += struct.pack('<HHHHHII', len(full), 0, 0, 0, 0, 0, at) + full
    start, count, size = len(out), len(records), len(directory)
    out += directory
    out += struct.pack('<4sQHHIIQQQQ', b'PK\6\6', 44, 798, 45, 0, 0, count, count, size, start)
    out += struct.pack('<4sIQI', b'PK\6\7', 0, start + size, 1)
    out += struct.pack('<4sHHHHIIH', b'PK\5\6', 0, 0, count, count, size, start, 0)
    return bytes(out)


def checkpoint(pickle, storages=(), **options):
    """A whole file around the bytes of data.pkl."""
    return lay_out(record_list(pickle, storages, **options))
