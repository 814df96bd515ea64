# SPDX-License-Identifier: MIT
"""Seeds for the fuzz targets that read pickles, made without PyTorch: seeds_pickle.py, seeds_legacy.py and seeds_checkpoint.py use this."""
import collections
import io
import pathlib
import pickle
import struct
import sys
import types
import zipfile

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / 'tests' / 'golden'
MAGIC = 0x1950A86A20F9469CFC6C


def torch_stub():
    """Classes and functions with PyTorch's names, so that Python's pickler writes them."""
    def module(name):
        made = sys.modules[name] = types.ModuleType(name)
        return made

    torch, utils, parameter, tensor, storage = map(
        module, ('torch', 'torch._utils', 'torch.nn.parameter', 'torch._tensor', 'torch.storage'))
    module('torch.nn').parameter = parameter
    for owner, names in ((utils, ('_rebuild_tensor', '_rebuild_tensor_v2', '_rebuild_tensor_v3', '_rebuild_parameter',
                                  '_rebuild_parameter_with_state', '_rebuild_qtensor')),
                         (tensor, ('_rebuild_from_type_v2',)), (torch, ('device',))):
        for name in names:
            exec(f'def {name}(*args): pass', owner.__dict__)
            owner.__dict__[name].__module__ = owner.__name__
    for owner, names in ((torch, ('FloatStorage', 'LongStorage', 'HalfStorage', 'ByteStorage', 'BoolStorage', 'QUInt8Storage', 'ComplexFloatStorage', 'Size',
                                  'FloatTensor', 'float8_e5m2', 'float32', 'qint8', 'quint8', 'per_tensor_affine')),
                         (parameter, ('Parameter',)), (storage, ('UntypedStorage',))):
        for name in names:
            setattr(owner, name, type(name, (), {'__module__': owner.__name__}))
    return types.SimpleNamespace(torch=torch, utils=utils, parameter=parameter, tensor=tensor, storage=storage)


stub = torch_stub()


class Call:
    """Pickles as a call of `function` with `args`, then BUILD with `state`."""
    def __init__(self, function, *args, state=None):
        self.reduced = (function, args) if state is None else (function, args, state)

    def __reduce__(self):
        return self.reduced


class Storage:
    def __init__(self, name, key, numel, view=None):
        owner = stub.storage if name == 'UntypedStorage' else stub.torch
        self.cls, self.key, self.numel, self.view = getattr(owner, name), key, numel, view


class Module:
    def __init__(self, parameters=None, modules=None, buffers=None):
        self.training = True
        self._parameters, self._buffers, self._modules = parameters or {}, buffers or {}, modules or {}
        self._non_persistent_buffers_set = {'hidden'}


Module.__module__ = 'torch.nn'
sys.modules['torch.nn'].Module = Module


def hooks():
    return collections.OrderedDict()


def v2(storage, offset=0, size=(4,), stride=(1,), *more):
    return Call(stub.utils._rebuild_tensor_v2, storage, offset, size, stride, False, hooks(), *more)


class Pickler(pickle._Pickler):
    """The Python pickler, as it takes any object for a persistent id."""
    legacy = False

    def persistent_id(self, obj):
        if not isinstance(obj, Storage):
            return None
        self.items[obj.key] = {'Float': 4, 'Half': 2, 'Long': 8, 'ComplexFloat': 8}.get(obj.cls.__name__.removesuffix('Storage'), 1)
        parts = ('storage', obj.cls, obj.key, 'cpu', obj.numel)
        return parts + (obj.view,) if self.legacy else parts


def dump(obj, protocol=2, legacy=False, items=None):
    out = io.BytesIO()
    pickler = Pickler(out, protocol)
    pickler.legacy, pickler.items = legacy, {} if items is None else items
    pickler.dump(obj)
    return out.getvalue()


def plain_values():
    shared, cycle = ['shared'], []
    cycle.append(cycle)
    return {
        'scalars': [None, True, 0, 255, 65536, -1, 2**40, -2**70, 1.5, float('nan'), 3 + 4j, 'text', 'ä\ud800', b'bytes', bytearray(b'more')],
        'containers': {'list': [1, [2]], 'tuple': (1, 2, 3, 4), 'set': {1}, 'frozen': frozenset({2}), 'deque': collections.deque([1])},
        'shared': [shared, shared, cycle],
        'keys': {1: 'int', 2.5: 'float', (1, 'a'): 'tuple', None: 'none', b'b': 'bytes'},
        'dicts': [collections.OrderedDict(a=1), collections.defaultdict(list, a=[1]), collections.Counter('aab')],
        'object': types.SimpleNamespace(a=1, b=[2]),
    }


def tensors(keys=('0', '1', '2', '3')):
    a, b, c, d = keys
    floats = Storage('FloatStorage', a, 6)
    t = v2(floats, 0, (2, 3), (3, 1))
    weights = collections.OrderedDict([
        ('weight', t), ('view', v2(floats, 1, (2, 2), (3, 1))), ('tied', t),
        ('parameter', Call(stub.utils._rebuild_parameter, v2(floats, 0, (6,)), True, hooks())),
        ('conj', v2(Storage('ComplexFloatStorage', b, 2), 0, (2,), (1,), {'conj': True})),
        ('float8', Call(stub.utils._rebuild_tensor_v3, Storage('UntypedStorage', c, 4), 0, (4,), (1,), False, hooks(), stub.torch.float8_e5m2)),
        ('old', Call(stub.torch.FloatTensor, state=(floats, 0, (6,), (1,)))),
        ('typed', Call(stub.tensor._rebuild_from_type_v2, stub.utils._rebuild_tensor_v2, stub.torch.FloatTensor,
                       (floats, 0, (6,), (1,), False, hooks()), {'a': 1})),
        ('long', v2(Storage('LongStorage', d, 2), 0, (), ())),
    ])
    return weights, {a: 24, b: 16, c: 4, d: 16}


def whole_module():
    weight = Call(stub.utils._rebuild_parameter, v2(Storage('FloatStorage', '0', 4)), True, hooks())
    child = Module({'weight': weight, 'bias': None}, buffers={'hidden': v2(Storage('FloatStorage', '0', 4))})
    return Module(modules={'0': child, '1': child, 'none': None}), {'0': 16}


def quantised_module():
    """A Linear, a Conv2d, an Embedding and a dynamic LSTM, as torch.ao.nn.quantized pickles them."""
    def made(where, name, state):
        package = sys.modules.setdefault(where, types.ModuleType(where))
        if not hasattr(package, name):
            setattr(package, name, type(name, (), {'__module__': where, '__getstate__': lambda self: self.state}))
        out = getattr(package, name)()
        out.state = state
        return out

    def module(where, name, own, **parts):
        state = {'training': False, '_parameters': {}, '_buffers': {}, '_modules': {}} | {f'_{key}': value for key, value in parts.items()}
        return made(where, name, state | own)

    def packed(name, state):
        return made('torch', 'ScriptObject', (state, f'__torch__.torch.classes.quantized.{name}'))

    quantised = Call(stub.utils._rebuild_qtensor, Storage('QUInt8Storage', '1', 5), 0, (2, 2), (2, 1), (stub.torch.per_tensor_affine, 0.5, 3), False, hooks())
    bias, qint8, quint8 = v2(Storage('FloatStorage', '0', 2), 0, (2,)), stub.torch.qint8, stub.torch.quint8
    folder = 'torch.ao.nn.quantized.modules.'
    inner = module(folder + 'linear', 'LinearPackedParams', {'dtype': qint8, '_packed_params': packed('LinearPackedParamsBase', (quantised, bias))})
    linear = module(folder + 'linear', 'Linear', {'in_features': 2, 'out_features': 2, 'scale': 0.5, 'zero_point': 3}, modules={'_packed_params': inner})
    conv = made(folder + 'conv', 'Conv2d', (1, 1, (1, 1), (1, 1), (0, 0), (1, 1), False, (0, 0), 1, 'zeros', quantised, bias, 0.5, 3, False))
    weight = module(folder + 'embedding_ops', 'EmbeddingPackedParams',
                    {'dtype': quint8, '_packed_weight': packed('EmbeddingPackedParamsBase', (1, [quantised], [], [8]))})
    embedding = module(folder + 'embedding_ops', 'Embedding', {'num_embeddings': 2, 'embedding_dim': 2}, modules={'_packed_params': weight})
    dynamic = 'torch.ao.nn.quantized.dynamic.modules.rnn'
    cell = module(dynamic, 'PackedParameter', {'param': packed('CellParamsBase', ('quantized_dynamic', [bias], [8], [bias, bias], [inner, inner]))})
    lstm = module(dynamic, 'LSTM', {'mode': 'LSTM'}, modules={'_all_weight_values': module('torch.nn.modules.container', 'ModuleList', {}, modules={'0': cell})})
    return Module(modules={'linear': linear, 'conv': conv, 'embedding': embedding, 'lstm': lstm}), {'0': 8, '1': 5}


def named(where, name):
    """A class of that name, which is as good as a function to a pickler."""
    package = sys.modules.setdefault(where, types.ModuleType(where))
    if not hasattr(package, name): setattr(package, name, type(name, (), {'__module__': where}))
    return getattr(package, name)


def stand_ins():
    """Objects that stand for tensors: a jagged one, a DTensor, one of a wrapper subclass; and a tensor out of a numpy array."""
    def typed(func, cls, args, state): return Call(stub.tensor._rebuild_from_type_v2, func, cls, args, state)

    def made(cls, **attributes):
        out = cls()
        out.__dict__.update(attributes)
        return out

    wrapper, float32 = named('torch._utils', '_rebuild_wrapper_subclass'), stub.torch.float32
    floats, longs = Storage('FloatStorage', '0', 6), Storage('LongStorage', '1', 3)
    values, offsets = v2(floats, 0, (6,)), v2(longs, 0, (3,))
    nested = 'torch.nested._internal.nested_tensor'
    jagged = {'values': values, 'offsets': offsets, 'lengths': None, '_ragged_idx': 1, '_metadata_cache': {}, 'requires_grad': False}
    mesh = made(named('torch.distributed.device_mesh', 'DeviceMesh'), _rank_map=v2(Storage('LongStorage', '2', 1), 0, (1,)))
    placed = 'torch.distributed.tensor'
    spec = made(named(placed + '._dtensor_spec', 'DTensorSpec'), mesh=mesh, placements=(made(named(placed + '.placement_types', 'Shard'), dim=0),))
    whole = (float32, (2, 3), (3, 1), 0, named('torch', 'strided'), Call(stub.torch.device, 'cpu'), False)
    multiarray, numpy = 'numpy.core.multiarray', named('numpy', 'ndarray')
    dtype = Call(named('numpy', 'dtype'), 'f4', False, True, state=(3, '<', None, None, None, -1, -1, 0))
    array = Call(named(multiarray, '_reconstruct'), numpy, (0,), b'b', state=(1, (3,), dtype, False, bytes(12)))
    return {'jagged': typed(named(nested, '_rebuild_njt'), named(nested, 'NestedTensor'), (jagged,), {}),
            'dtensor': typed(wrapper, named(placed, 'DTensor'), (named(placed, 'DTensor'), *whole), {'_local_tensor': v2(floats, 0, (2, 3), (3, 1)), '_spec': spec}),
            'wrapper': typed(wrapper, named('torchao', 'Two'), (named('torchao', 'Two'), *whole), {'a': values, 'b': offsets}),
            'device': Call(named('torch._utils', '_rebuild_device_tensor_from_numpy'), array, float32, 'xla:0', False)}, {'0': 24, '1': 24, '2': 8}


def objects():
    """(name, object, storages' bytes)"""
    weights, sizes = tensors()
    yield 'tensors', weights, sizes
    yield 'nested', {'epoch': 3, 'model': {'state_dict': weights}, 'optimizer': {'state': {0: {'step': 1}}}}, sizes
    yield 'module', *whole_module()
    yield 'quantised', *quantised_module()
    yield 'stand_ins', *stand_ins()
    yield 'plain', plain_values(), {}


def torch_zip(obj, sizes, protocol=2, method=zipfile.ZIP_STORED, order='little'):
    return torch_zip_of(dump(obj, protocol), sizes, method, order)


def torch_zip_of(pickled, sizes, method=zipfile.ZIP_STORED, order='little'):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', method) as archive:
        archive.writestr('archive/data.pkl', pickled)
        archive.writestr('archive/byteorder', order)
        for key, size in sizes.items():
            archive.writestr(f'archive/data/{key}', bytes(range(size)))
        archive.writestr('archive/version', '3\n')
    return out.getvalue()


def legacy_stream(obj, sizes, protocol=2):
    head = [MAGIC, 1001, {'protocol_version': 1001, 'little_endian': True, 'type_sizes': {'short': 2, 'int': 4, 'long': 4}}]
    items = {}  # bytes of an element, by key
    out = b''.join(pickle.dumps(part, protocol) for part in head) + dump(obj, protocol, legacy=True, items=items)
    out += pickle.dumps(sorted(sizes), protocol)
    for key in sorted(sizes):
        out += struct.pack('<q', sizes[key] // items[key]) + bytes(range(sizes[key]))
    return out


def write(folder, seeds):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for name, data in seeds:
        (folder / name).write_bytes(data)
        count += 1
    print(f'{count} seeds')
