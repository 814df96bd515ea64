# SPDX-License-Identifier: MIT
"""What PyTorch finds in a checkpoint, told in the terms of `brine ls --all --json --crc`: the judge of the live tests and golden files.

listing(obj) takes a live object, as torch.load gave it, and never looks at the file. The parts of an object that is no plain container are
asked from Python itself: __reduce_ex__ says what a pickler would write of it (constructor arguments, list items, dict items, state), in
the order it would. The names of a module's weights are those of its own state_dict(). Works with PyTorch 1.13 and 2.x.
"""
import collections
import copyreg
import ctypes
import types
import zlib

import numpy as np
import torch

MAPPINGS = (dict, collections.OrderedDict, collections.defaultdict, collections.Counter)
SEQUENCES = (list, tuple, set, frozenset, collections.deque, torch.Size)
LEAVES = (str, bytes, bytearray, bool, int, float, complex, type(None), type, types.FunctionType, types.BuiltinFunctionType, torch.dtype,
          torch.device, torch.layout, torch.qscheme, torch.Generator, np.generic, np.dtype)
KNOWN_KEYS = ('state_dict', 'model_state_dict', 'model', 'net', 'network', 'module', 'weights', 'params_ema', 'params', 'ema')

is_mapping = lambda o: type(o) in MAPPINGS
is_module = lambda o: isinstance(o, torch.nn.Module)


def load(path):
    """torch.load, and a dict: which location the file gives each storage (by the storage's identity; the storages are kept alive)."""
    places = {}

    def stay(storage, location):
        places[storage._cdata] = (location, storage)
        return storage
    return torch.load(path, map_location=stay, weights_only=False), places


def step(key):
    """A dict key as part of a path."""
    if isinstance(key, str): return key
    if key is None or isinstance(key, (bool, int, float, bytes, tuple)): return repr(key)
    return f'<{type(key).__name__}>'


def parts_of_object(o, protocol):
    """(name, value) of what a pickler writes of an object that is no plain container."""
    reducer = copyreg.dispatch_table.get(type(o))
    made = reducer(o) if reducer else o.__reduce_ex__(protocol)
    if isinstance(made, str): return                                  # a global
    func, args, state, items, pairs = (tuple(made) + (None,) * 3)[:5]
    kwargs = {}
    if func is copyreg.__newobj__: args = args[1:]
    if func is copyreg.__newobj_ex__: _, args, kwargs = args           # by protocols 2 and 3 in a partial that is called
    for i, v in enumerate(args): yield f'args.{i}', v
    for k, v in kwargs.items(): yield f'kwargs.{k}', v
    for i, v in enumerate(items or ()): yield str(i), v
    for k, v in pairs or (): yield step(k), v
    both = isinstance(state, tuple) and len(state) == 2 and all(s is None or isinstance(s, dict) for s in state)
    if both or isinstance(state, dict):
        for s in state if both else (state,):
            for k, v in (s or {}).items(): yield step(k), v
    elif state is not None:
        yield 'state', state


def parts(o, protocol):
    if torch.is_tensor(o):
        yield from vars(o).items()                                    # what a subclass or a Parameter keeps
    elif is_mapping(o):
        for k, v in o.items(): yield step(k), v
        if type(o) is collections.OrderedDict:
            for k, v in vars(o).items(): yield k, v
    elif type(o) in SEQUENCES:
        for i, v in enumerate(o): yield str(i), v
    elif isinstance(o, np.ndarray):
        if o.dtype == object:
            for i, v in enumerate(o.ravel()): yield str(i), v
    else:
        yield from parts_of_object(o, protocol)


def walk(root, protocol=2):
    """(path, value) in pickled order. A container met again is not entered again; a tensor is given at every place that holds it."""
    met, stack = {}, [('', root)]
    while stack:
        path, o = stack.pop()
        yield path, o
        if isinstance(o, LEAVES) or torch.is_storage(o) or id(o) in met: continue
        met[id(o)] = o                                                # kept, so that no other object gets its id
        stack.extend(reversed([(f'{path}.{n}' if path else n, v) for n, v in parts(o, protocol)]))


def storage_of(t):
    return t.untyped_storage() if hasattr(t, 'untyped_storage') else t.storage().untyped()


def element_bytes(t):
    """The elements in row-major order, little-endian, conj and neg resolved."""
    t = t.detach().resolve_conj().resolve_neg()
    storage, size = storage_of(t), t.element_size()
    if t.numel() == 0: return b''
    raw = ctypes.string_at(storage.data_ptr(), storage.nbytes())
    view = np.ndarray(tuple(t.shape) + (size,), np.uint8, raw, t.storage_offset() * size, tuple(s * size for s in t.stride()) + (1,))
    return view.tobytes()


def describe(name, t, numbers, places):
    if t.layout != torch.strided or t.device.type == 'meta' or getattr(t, 'is_nested', False): return describe_kind(name, t)
    storage = storage_of(t)
    packed = t.dtype in (torch.quint4x2, getattr(torch, 'quint2x4', None))
    return {'name': name, 'dtype': str(t.dtype).replace('torch.', ''), 'shape': list(t.shape), 'stride': list(t.stride()),
            'storage_offset': t.storage_offset(), 'storage': str(numbers.setdefault(storage._cdata, len(numbers))),
            'device': places.get(storage._cdata, (str(t.device),))[0], 'requires_grad': t.requires_grad,
            'nbytes': t.numel() * t.element_size(), 'crc32': None if packed else '%08x' % zlib.crc32(element_bytes(t))}


def describe_kind(name, t):
    nested, meta = getattr(t, 'is_nested', False), t.device.type == 'meta'
    out = {'name': name, 'dtype': str(t.dtype).replace('torch.', ''), 'shape': None if nested else list(t.shape), 'requires_grad': t.requires_grad,
           'nbytes': t.numel() * t.element_size() if meta else None, 'crc32': None}
    return {**out, **({'stride': list(t.stride()), 'storage_offset': 0, 'device': 'meta'} if meta else {'layout': 'nested' if nested else str(t.layout).replace('torch.', '')})}


def weights(o):
    """(name, tensor) of an object that is itself weights, else None."""
    if is_module(o):
        return [(k, v) for k, v in o.state_dict().items() if torch.is_tensor(v)]
    if not is_mapping(o) or not all(isinstance(k, str) for k in o): return None
    found = [(k, v) for k, v in o.items() if torch.is_tensor(v)]
    if not found and not hasattr(o, '_metadata'): return None
    if any((is_mapping(v) or type(v) is list or is_module(v)) and k.split('.')[-1] != '_extra_state' for k, v in o.items()): return None
    return found


def find_state_dict(o, path='', levels=4):
    """(its tensors, its path), or (None, None): itself, else below the known keys in their order, else the only one that is weights."""
    found = weights(o)
    if found is not None: return found, path
    join = lambda k: f'{path}.{k}' if path else k
    if is_mapping(o) and levels:
        for key in KNOWN_KEYS:
            if key in o:
                found, where = find_state_dict(o[key], join(key), levels - 1)
                if found is not None: return found, where
    pairs = o.items() if is_mapping(o) else enumerate(o) if type(o) in (list, tuple) else ()
    pairs = [(step(k), v) for k, v in pairs]
    candidates = [(k, weights(v)) for k, v in pairs if weights(v) is not None]
    return (candidates[0][1], join(candidates[0][0])) if len(candidates) == 1 else (None, None)


def listing(obj, places, protocol=2):
    """tensors, arrays, state_dict (tensors as well) and state_dict_at of a live object."""
    met, numbers = list(walk(obj, protocol)), {}
    state, at = find_state_dict(obj)
    return {'tensors': [describe(p, t, numbers, places) for p, t in met if torch.is_tensor(t)],
            'arrays': [{'name': p, 'dtype': a.dtype.str, 'shape': list(a.shape), 'crc32': '%08x' % zlib.crc32(a.tobytes())}
                       for p, a in met if isinstance(a, np.ndarray) and a.dtype != object],
            'state_dict': None if state is None else [describe(n, t, numbers, places) for n, t in state], 'state_dict_at': at}
