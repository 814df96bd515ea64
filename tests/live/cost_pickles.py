# SPDX-License-Identifier: MIT
"""How the files of cost_modules.py, cost_values.py and cost_tensors.py are written, opcode by opcode; FILES has them all by name."""
import struct

from torch_zip import checkpoint as lay_out
from torch_zip import lay_out as lay_out_records
from torch_zip import record_list

P = b'\x80\x02'
MAGIC = b'\x80\x02\x8a\x0a\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19\x2E'
ONE = struct.pack('<f', 1.0)
FILES = {}


def file(function):
    FILES[function.__name__.replace('_', ' ')] = function
    return function


def text(s):
    b = s if isinstance(s, bytes) else s.encode()
    return b'X' + struct.pack('<I', len(b)) + b


def number(n):
    if 0 <= n < 256: return b'K' + bytes([n])
    if 0 <= n < 65536: return b'M' + struct.pack('<H', n)
    if -2**31 <= n < 2**31: return b'J' + struct.pack('<i', n)
    size = n.bit_length() // 8 + 1
    return b'\x8a' + bytes([size]) + n.to_bytes(size, 'little', signed=True)


def name(module, attribute): return b'c' + module.encode() + b'\n' + attribute.encode() + b'\n'
def put(i): return b'q' + bytes([i]) if i < 256 else b'r' + struct.pack('<I', i)
def get(i): return b'h' + bytes([i]) if i < 256 else b'j' + struct.pack('<I', i)
def tuple_of(*items): return b'(' + b''.join(items) + b't'
def list_of(*items): return b'](' + b''.join(items) + b'e'
def entries(*pairs): return b'}(' + b''.join(k + v for k, v in pairs) + b'u'


def storage(key='0', numel=1, cls='FloatStorage', device=None, view=b''):  # legacy streams: view=b'N'
    key = key if isinstance(key, bytes) else text(key)
    return tuple_of(text('storage'), name('torch', cls), key, device or text('cpu'), number(numel), view) + b'Q'


HOOKS = name('collections', 'OrderedDict') + b')R'


def tensor(of=None, shape=(1,), stride=(1,), offset=0, call=name('torch._utils', '_rebuild_tensor_v2')):
    sizes = [t if isinstance(t, bytes) else tuple_of(*map(number, t)) for t in (shape, stride)]
    return call + tuple_of(of or storage(), number(offset), *sizes, b'\x89', HOOKS) + b'R'


class Pickle:
    """A pickle whose first opcodes put what is shared into the memo."""
    def __init__(self): self.data, self.known = bytearray(P), 0

    def keep(self, opcodes):
        """Puts a value into the memo; gives the opcodes that refer to it."""
        self.data += opcodes + put(self.known) + b'0'
        self.known += 1
        return get(self.known - 1)

    def end(self, opcodes): return bytes(self.data) + opcodes + b'.'


def checkpoint(pickle, *storages, **options): return lay_out(pickle, dict(enumerate(storages or (ONE,))), **options)


def legacy(obj, keys=(), tail=b'', view=b'N'):
    info = entries((text('protocol_version'), number(1001)), (text('little_endian'), b'\x88'), (text('type_sizes'), b'}'))
    return MAGIC + P + b'M\xe9\x03.' + P + info + b'.' + obj + P + list_of(*map(text, keys)) + b'.' + tail


class Modules(Pickle):
    """What modules are made of, in the memo: a whole one is some twenty bytes."""
    def __init__(self, cls=('m', 'M')):
        super().__init__()
        self.tensor, self.cls, self.none = self.keep(tensor()), self.keep(name(*cls)), self.keep(b'}')
        self.words = [self.keep(text(w)) for w in ('_parameters', '_buffers', '_modules')]

    def state(self, parameters=None, buffers=None, children=None, more=b''):
        parts = [part or self.none for part in (parameters, buffers, children)]
        return b'}(' + b''.join(w + p for w, p in zip(self.words, parts)) + more + b'u'

    def module(self, state, cls=None): return (cls or self.cls) + b')R' + state + b'b'


LONG = 400_000  # bytes of a name that stands for one of any length
