# SPDX-License-Identifier: MIT
"""One measurement of a peer, in a process of its own: peers.py WHAT FILE prints as open_bench does.

Imports stand outside the clock, those too that a first call makes: each peer opens a file of one tensor before.
"""
import os
import sys
import tempfile
import time


def torch_load(path, **options):
    import torch

    state = torch.load(path, weights_only=False, **options)
    return [(name, tensor.dtype, tensor.shape, tensor.data_ptr()) for name, tensor in state.items()]


def safetensors_open(path):
    from safetensors import safe_open

    with safe_open(path, framework='numpy') as file:  # quicker than framework='pt', which maps the file once more
        parts = [(name, file.get_slice(name)) for name in file.keys()]
        return [(name, part.get_dtype(), part.get_shape()) for name, part in parts]


def torch_tiny(path):
    import torch

    torch.save({'weight': torch.zeros(1)}, path)


def safetensors_tiny(path):
    import numpy
    import safetensors.numpy

    safetensors.numpy.save_file({'weight': numpy.zeros(1)}, path)


PEERS = {
    'torch': (torch_tiny, torch_load),
    'torch-mmap': (torch_tiny, lambda path: torch_load(path, mmap=True)),
    'safetensors': (safetensors_tiny, safetensors_open),
}


def main(what, path):
    tiny, load = PEERS[what]
    with tempfile.TemporaryDirectory() as folder:
        tiny(os.path.join(folder, 'tiny'))
        load(os.path.join(folder, 'tiny'))
    start, cpu = time.perf_counter(), time.process_time()
    tensors = load(path)
    print('total', (time.perf_counter() - start) * 1e3)
    print('cpu', (time.process_time() - cpu) * 1e3)
    print('tensors', len(tensors))


if __name__ == '__main__':
    main(*sys.argv[1:])
