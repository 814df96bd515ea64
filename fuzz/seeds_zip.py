#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Seeds for fuzz_zip: seeds_zip.py FOLDER

Small archives of every layout the reader knows, written by Python's zipfile and, as torch.save lays them out, by hand; then each with one
field changed, so that a fuzzer need not find the signatures itself.
"""
import io
import pathlib
import struct
import sys
import zipfile
import zlib

RECORDS = [('archive/data.pkl', b'\x80\x02}q\x00.'), ('archive/byteorder', b'little'), ('archive/data/0', bytes(range(64))),
           ('archive/data/1', b''), ('archive/version', b'3\n')]

FIELDS = {b'PK\3\4': (6, 8, 14, 18, 22, 26, 28), b'PK\1\2': (8, 10, 16, 20, 24, 28, 30, 32, 42), b'PK\5\6': (8, 10, 12, 16, 20),
          b'PK\6\6': (4, 24, 32, 40, 48), b'PK\6\7': (8, 16), b'PK\7\10': (4, 8, 12)}


class Pipe(io.RawIOBase):
    """Cannot seek: zipfile then writes descriptors."""

    def __init__(self):
        self.bytes = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.bytes += data
        return len(data)


def by_zipfile(method, piped=False, zip64=False, comment=b'', folders=False):
    out = Pipe() if piped else io.BytesIO()
    with zipfile.ZipFile(out, 'w', method) as archive:
        if folders:
            archive.writestr('archive/', b'')
        for name, data in RECORDS:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            with archive.open(info, 'w', force_zip64=zip64) as record:
                record.write(data)
        archive.comment = comment
    return bytes(out.bytes) if piped else out.getvalue()


def by_torch(alignment=64, crc=True, descriptor64=False):
    """FORMAT: no sizes in local headers, a padding block, descriptors, always a zip64 end record."""
    out, central = bytearray(), bytearray()
    for name, data in RECORDS:
        at, size = len(out), len(data)
        check = zlib.crc32(data) if crc else 0
        flags = 0x0808 if size else 0x0800
        extra = struct.pack('<HHQQ', 1, 16, size, 0) if descriptor64 and size else b''
        pad = -(at + 30 + len(name) + len(extra) + 4) % alignment
        extra += struct.pack('<2sH', b'FB', pad) + b'Z' * pad
        out += struct.pack('<IHHHHHIIIHH', 0x04034B50, 0, flags, 0, 0, 0, 0, 0, 0, len(name), len(extra)) + name.encode() + extra + data
        if size:
            out += struct.pack('<IIQQ' if descriptor64 else '<IIII', 0x08074B50, check, size, size)
        central += struct.pack('<IHHHHHHIIIHHHHHII', 0x02014B50, 0, 0, flags, 0, 0, 0, check, size, size, len(name), 0, 0, 0, 0, 0, at)
        central += name.encode()
    start, n = len(out), len(RECORDS)
    end64 = start + len(central)
    out += central
    out += struct.pack('<IQHHIIQQQQ', 0x06064B50, 44, 798, 45, 0, 0, n, n, len(central), start)
    out += struct.pack('<IIQI', 0x07064B50, 0, end64, 1)
    out += struct.pack('<IHHHHIIH', 0x06054B50, 0, 0, n, n, len(central), start, 0)
    return bytes(out)


def damaged(name, data):
    """One field of the first, the second and the last header of each kind, set to something else."""
    for signature, fields in FIELDS.items():
        at = data.find(signature)
        if at < 0:
            continue
        for field in fields:
            changed = bytearray(data)
            changed[at + field] ^= 1
            yield f'{name}_{signature[2]}{signature[3]}_{field}', bytes(changed)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    whole = {
        'stored': by_zipfile(zipfile.ZIP_STORED),
        'deflated': by_zipfile(zipfile.ZIP_DEFLATED),
        'piped': by_zipfile(zipfile.ZIP_DEFLATED, piped=True),
        'zip64': by_zipfile(zipfile.ZIP_STORED, zip64=True),
        'piped64': by_zipfile(zipfile.ZIP_STORED, piped=True, zip64=True),
        'comment': by_zipfile(zipfile.ZIP_STORED, comment=b'a comment'),
        'folders': by_zipfile(zipfile.ZIP_STORED, folders=True),
        'torch': by_torch(),
        'torch_1': by_torch(alignment=1),
        'torch_nocrc': by_torch(alignment=1, crc=False),
        'torch_64': by_torch(alignment=1, descriptor64=True),
    }
    seeds = dict(whole)
    for name, data in whole.items():
        seeds.update(damaged(name, data))
    for name, data in seeds.items():
        (folder / name).write_bytes(data)
    print(f'{len(seeds)} seeds')


if __name__ == '__main__':
    main()
