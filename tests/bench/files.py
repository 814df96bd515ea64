# SPDX-License-Identifier: MIT
"""The files that bench.py measures; the same tensors as .pth and as .safetensors."""
import io
import os


def resnet50():
    """The names and shapes of torchvision's ResNet-50: 320 tensors, 102 MB."""
    import torch

    state = {}

    def convolution(name, out, inside, side):
        state[name + '.weight'] = torch.randn(out, inside, side, side)

    def normalisation(name, size):
        for part in ('weight', 'bias', 'running_mean', 'running_var'):
            state[f'{name}.{part}'] = torch.rand(size)
        state[name + '.num_batches_tracked'] = torch.tensor(1000)

    convolution('conv1', 64, 3, 7)
    normalisation('bn1', 64)
    inside = 64
    for layer, (blocks, width) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512)), 1):
        for block in range(blocks):
            name = f'layer{layer}.{block}'
            for n, (out, into, side) in enumerate(((width, inside, 1), (width, width, 3), (4 * width, width, 1)), 1):
                convolution(f'{name}.conv{n}', out, into, side)
                normalisation(f'{name}.bn{n}', out)
            if block == 0:
                convolution(name + '.downsample.0', 4 * width, inside, 1)
                normalisation(name + '.downsample.1', 4 * width)
            inside = 4 * width
    state['fc.weight'], state['fc.bias'] = torch.randn(1000, 2048), torch.randn(1000)
    return state


def large(elements):
    import torch

    return {f'blocks.{i}.weight': torch.randn(elements) for i in range(300)}


def small():
    import torch

    return {f'blocks.{i}.weight': torch.randn(64) for i in range(100_000)}


def views():
    import torch

    return {f'blocks.{i}.weight': view for i, view in enumerate(torch.randn(100_000 * 64).split(64))}


FILES = {
    'a': (resnet50, 'ResNet-50, 320 tensors, 102 MB'),
    'b': (lambda: large(1 << 18), '300 tensors of 1 MiB'),
    'b4': (lambda: large(1 << 16), '300 tensors of 256 KiB'),
    'c': (small, '100,000 tensors of 64 float32'),
    'e': (views, '100,000 views of one storage'),
}


def put(path, data):
    """One large write: how a file was written decides the size of its pages in the cache, and that the speed of mapping it."""
    file = os.open(path + '.new', os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    data = memoryview(data)
    while data:
        data = data[os.write(file, data):]
    os.close(file)
    os.replace(path + '.new', path)


def make(folder, name):
    """The .pth and the .safetensors; made once, and written anew each time so that both are in the page cache alike."""
    paths = [os.path.join(folder, name + suffix) for suffix in ('.pth', '.safetensors')]
    if not all(map(os.path.exists, paths)):
        import safetensors.torch
        import torch

        torch.manual_seed(1)
        state = FILES[name][0]()
        file = io.BytesIO()
        torch.save(state, file)
        put(paths[0], file.getbuffer())
        put(paths[1], safetensors.torch.save({key: tensor.clone() for key, tensor in state.items()}))
    else:
        for path in paths:
            with open(path, 'rb') as file:
                data = file.read()
            put(path, data)
    return paths
