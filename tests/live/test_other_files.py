# SPDX-License-Identifier: MIT
"""test_other_files.py BRINE: files that are no checkpoints, or not yet read: each refused with status 1 and one line that names what it is.

The files are made here, with the standard library. The taking of one file for another is the commonest mistake with checkpoints: a page
instead of the download, a pointer instead of the large file, half a file.
"""
import gzip
import io
import json
import lzma
import os
import pickle
import re
import struct
import sys
import tarfile
import tempfile
import zipfile

from common import GOLDEN, Tally, command, run
from state_pickle import dict_of, tensor, text
from torch_zip import checkpoint, lay_out


def golden(name):
    with open(os.path.join(GOLDEN, name), 'rb') as f: return f.read()


def safetensors():
    head = json.dumps({'w': {'dtype': 'F32', 'shape': [1], 'data_offsets': [0, 4]}}).encode()
    return struct.pack('<Q', len(head)) + head + b'\0' * 4


def safetensors_of(length):
    """With a header of this length: 128 and 384 begin like pickles."""
    head = json.dumps({'w': {'dtype': 'F32', 'shape': [1], 'data_offsets': [0, 4]}}).encode().ljust(length)
    return struct.pack('<Q', len(head)) + head + b'\0' * 4


def zip_of(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as z:
        for name, data in members.items(): z.writestr(name, data)
    return out.getvalue()


def old_tar():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as tar:
        for name in ('sys_info', 'pickle', 'tensors', 'storages'):
            info = tarfile.TarInfo(name)
            info.size = 10
            tar.addfile(info, io.BytesIO(b'\x80\x02K\x00.' * 2))
    return out.getvalue()


def any_tar():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as tar: tar.addfile(tarfile.TarInfo('readme.txt'))
    return out.getvalue()


def any_zip():
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as z: z.writestr('a/readme.txt', 'hello')
    return out.getvalue()


def mac_zip():
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as z:
        z.writestr('archive/data.pkl', b'\x80\x02}.')
        z.writestr('archive/version', '3\n')
        z.writestr('__MACOSX/archive/._data.pkl', b'x')
    return out.getvalue()


WEIGHTS = dict_of({'w': tensor('0', (1,))})
# name -> (bytes, what the message must say, as a pattern)
FILES = {
    'empty.pth': (b'', r'empty|0 bytes'),
    'weights.safetensors': (safetensors(), r'safetensors.*torch\.save'),
    **{f'{n}.safetensors': (safetensors_of(n), r'a safetensors file') for n in (128, 136, 384, 640, 896, 1152, 1408, 35615)},
    'arrays.npz': (zip_of(**{'x.npy': b'1', 'y.npy': b'2'}), r'NumPy archive \(\.npz\) of 2 arrays.*numpy\.load'),
    'model.keras': (zip_of(**{'metadata.json': '{}', 'config.json': '{}', 'model.weights.h5': 'x'}), 'Keras'),
    'agent.zip': (zip_of(**{'data': '{}', 'policy.pth': golden('tied.pth'), '_stable_baselines3_version': '2'}), 'Stable-Baselines3.*--member policy.pth'),
    'several.zip': (zip_of(**{'x.bin': golden('tied.pth'), 'sub/y': golden('legacy.pth'), 'z.txt': 'x'}), 'x.bin and sub/y.*--member x.bin'),
    'text.docx': (zip_of(**{'[Content_Types].xml': 'x', 'word/document.xml': 'x'}), 'Office'),
    'crlf.pth': (golden('tied.pth').replace(b'\n', b'\r\n'), 'transferred as text.*again as binary'),
    'utf8.pth': (golden('legacy.pth').decode('utf-8', 'replace').encode(), 'transferred as text.*again as binary'),
    'two.pth': (golden('tied.pth') * 2, rf'--length {len(golden("tied.pth"))}.*--offset {len(golden("tied.pth"))} '),
    'junk.pth': (b'junk' + golden('tied.pth'), '--offset 4 '),
    'model.gguf': (b'GGUF' + struct.pack('<IQQ', 3, 0, 0) + b'\0' * 40, 'GGUF'),
    'model.pth.gz': (gzip.compress(golden('tied.pth')), 'gzip'),
    'model.xz': (lzma.compress(golden('tied.pth')), 'xz'),
    'page.pth': (b'<!DOCTYPE html>\n<html><head><title>404</title></head></html>', 'HTML|web page'),
    'page2.pth': (b'\n  <html lang="en"><body>Sign in</body></html>', 'HTML|web page'),
    'pointer.pth': (b'version https://git-lfs.github.com/spec/v1\noid sha256:' + b'0' * 64 + b'\nsize 46830571\n', r'[Gg]it[ -](LFS|lfs)'),
    'error.pth': (b'{"error": "not found"}', 'JSON|text'),
    'cut.pth': (golden('resnet.pth')[:5000], 'cut|truncat|incomplete|end record|ends'),
    'cut_legacy.pth': (golden('legacy.pth')[:600], 'cut|truncat|end|rest of'),
    'script.pt': (lay_out([('m/data.pkl', WEIGHTS), ('m/code/m.py', b'x'), ('m/constants.pkl', b'\x80\x02).'), ('m/data/0', b'abcd'),
                           ('m/version', b'3\n')]), 'TorchScript'),
    'old.tar.pth': (old_tar(), r'\btar\b'),
    'any.tar': (any_tar(), r'\btar\b'),
    'any.zip': (any_zip(), 'data.pkl'),
    'mac.zip': (mac_zip(), '__MACOSX'),
    'plain.pkl': (pickle.dumps({'a': 1}, 2), 'pickle'),
    'array.npy': (b'\x93NUMPY\x01\x00v\x00' + b"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b'\n\0\0\0\0',
    r'npy|[Nn]um[Pp]y'),
    'picture.png': (b'\x89PNG\r\n\x1a\n' + b'\0' * 30, 'PNG|checkpoint'),
    'model.h5': (b'\x89HDF\r\n\x1a\n' + b'\0' * 60, 'HDF5|Keras'),
    'zeros.pth': (bytes(5000), 'zero|checkpoint'),
    'random.pth': (bytes(range(255, 0, -1)) * 4, 'checkpoint'),
    'no_version.pth': (lay_out([('a/data.pkl', WEIGHTS), ('a/data/0', b'abcd')]), 'version'),
    'short_storage.pth': (checkpoint(WEIGHTS, {'0': b'abc'}), r'\b3\b.*\b4\b|\b4\b.*\b3\b'),
    'lost_storage.pth': (checkpoint(WEIGHTS), 'data/0'),
    'no_tensors.pth': (checkpoint(dict_of({'lr': b'K\x01', 'name': text('x')})), 'state dict|weights|tensor'),
    'two_models.pth': (checkpoint(dict_of({'g': dict_of({'w': tensor('0', (1,))})[2:-1], 'd': dict_of({'w': tensor('1', (1,))})[2:-1]}),
    {'0': b'abcd', '1': b'abcd'}), r'--at'),
}


def main():
    brine, tally = command(), Tally()
    with tempfile.TemporaryDirectory() as folder:
        for name, (data, wanted) in FILES.items():
            path = os.path.join(folder, name)
            with open(path, 'wb') as f: f.write(data)
            r = run(brine, 'ls', path)
            message = r.error().strip()
            says = message.replace(path, '')
            tally.check(name, r.refused() or (None if name in message else f'the file is not named: {message}') or
                        (None if re.search(wanted, says) else f'the message does not say {wanted}: {message}'))
        for what, path in (('no such file', os.path.join(folder, 'nothing.pth')), ('a folder', folder)):
            r = run(brine, 'ls', path)
            tally.check(what, r.refused() or (None if path in r.error() else f'not named: {r.error()}'))
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
