#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""brine beside PyTorch and safetensors, in one interleaved run: bench.py OPEN_BENCH [options].

Every measurement is a fresh process that holds its own clock; one round measures everything once, the next one in another order, so that
what else the machine does falls on all alike. Read ratios, not times, and the least beside the median.
"""
import argparse
import os
import random
import statistics
import subprocess
import sys

import files

HERE = os.path.dirname(os.path.abspath(__file__))
OPENING = {  # row: (program, what, suffix)
    'brine': ('brine', 'open', '.pth'),
    'floor': ('brine', 'floor', '.pth'),
    'torch.load': ('peer', 'torch', '.pth'),
    'torch.load(mmap=True)': ('peer', 'torch-mmap', '.pth'),
    'safetensors': ('peer', 'safetensors', '.safetensors'),
    'first tensor': ('brine', 'first', '.pth'),
}
READING = {'copy': ('brine', 'copy', '.pth'), 'verify': ('brine', 'verify', '.pth')}


def measure(arguments, program, what, path):
    command = [arguments.open_bench] if program == 'brine' else [sys.executable, os.path.join(HERE, 'peers.py')]
    environment = {name: value for name, value in os.environ.items() if name != 'TZ'}  # as most users have it
    run = subprocess.run([*command, what, path], capture_output=True, text=True, env=environment)
    if run.returncode != 0:
        sys.exit(f'{what} {path}: {run.stderr.strip()}')
    return {name: float(value) for name, value in (line.split() for line in run.stdout.splitlines())}


class Runs:
    """All that was measured: numbers by file, row and name."""

    def __init__(self):
        self.found = {}

    def add(self, file, row, numbers):
        for name, value in numbers.items():
            self.found.setdefault((file, row, name), []).append(value)

    def has(self, file, row, name='total'):
        return (file, row, name) in self.found

    def median(self, file, row, name='total'):
        return statistics.median(self.found[file, row, name])

    def least(self, file, row, name='total'):
        return min(self.found[file, row, name])


def line(name, median, least, beside='', cpu=''):
    print(f'  {name:<26}{median:>11}{least:>11}{cpu:>11}   {beside}'.rstrip())


def ms(value):
    return f'{value:.3f}' if value < 10 else f'{value:.1f}'


def times(ratio):
    return f'{ratio:.0f}x' if ratio >= 20 else f'{ratio:.2f}x'


def report_open(runs, file):
    line('', 'median ms', 'least ms', 'beside brine', 'cpu ms')
    for row in OPENING:
        if not runs.has(file, row):
            continue
        beside = [f(file, row) / f(file, 'brine') for f in (runs.median, runs.least)]
        has_cpu = runs.has(file, row, 'cpu')
        if has_cpu:
            beside.append(runs.median(file, row, 'cpu') / runs.median(file, 'brine', 'cpu'))
        text = '' if row == 'brine' else ', '.join(what + times(ratio) for what, ratio in zip(('', 'least ', 'cpu '), beside))
        line(row, ms(runs.median(file, row)), ms(runs.least(file, row)), text, ms(runs.median(file, row, 'cpu')) if has_cpu else '')
    for row, parts in (('brine', ('load', 'state_dict', 'list')), ('floor', ('map', 'directory', 'pickle_crc', 'opcodes'))):
        for part in parts:
            line(f'  {row}: {part}', ms(runs.median(file, row, part)), ms(runs.least(file, row, part)))
    share = runs.median(file, 'brine', 'cpu') / runs.median(file, 'brine')
    if share < 0.8:
        print(f'  busy machine: brine had a processor {share:.0%} of its time; the medians say little, cpu ms more')
    tensors, kept = runs.median(file, 'brine', 'tensors'), runs.median(file, 'brine', 'kept_kb')
    print(f'  {tensors:.0f} tensors, {runs.median(file, "brine", "copied"):.0f} of them copied; memory kept {kept:.0f} kB, '
          f'{kept * 1024 / tensors:.0f} B a tensor; the pickle {runs.median(file, "brine", "pickle_bytes") / tensors:.0f} B a tensor')


def report_reading(runs, file):
    for row, beside, what in (('copy', 'pread', 'pread of the file'), ('verify', 'crc', 'one CRC over the file')):
        if runs.has(file, row):
            line(f'{row} of all', ms(runs.median(file, row)), ms(runs.least(file, row)))
            ratio = runs.median(file, row) / runs.median(file, row, beside), runs.least(file, row) / runs.least(file, row, beside)
            line('  ' + what, ms(runs.median(file, row, beside)), ms(runs.least(file, row, beside)), f'{row} is {ratio[0]:.2f} of it (least {ratio[1]:.2f})')


class Goals:
    """What brine promises of these files: a list of (sentence, kept)."""

    def __init__(self, runs):
        self.runs, self.found = runs, []

    def times_torch(self, file, factor):
        if self.runs.has(file, 'torch.load'):
            ratio = self.runs.median(file, 'torch.load') / self.runs.median(file, 'brine')
            self.found.append((f'{file}: opens {factor} times as fast as torch.load ({ratio:.0f})', ratio >= factor))

    def at_most(self, text, value, most):
        self.found.append((f'{text} ({value:.2f}, at most {most:g})', value <= most))

    def check(self):
        runs = self.runs
        self.times_torch('a', 100)
        self.times_torch('c', 20)
        for file in ('a', 'c'):
            if runs.has(file, 'safetensors'):
                self.at_most(f'{file}: opens no slower than safetensors', runs.median(file, 'brine') / runs.median(file, 'safetensors'), 1)
        if runs.has('c', 'brine'):
            self.at_most('c: opens in milliseconds', runs.median('c', 'brine'), 65)
            self.at_most('c: keeps bytes of memory a tensor', runs.median('c', 'brine', 'kept_kb') * 1024 / runs.median('c', 'brine', 'tensors'), 600)
        if runs.has('b', 'brine') and runs.has('b4', 'brine'):
            self.at_most('b: opens as fast as with a quarter of the bytes', runs.median('b', 'brine') / runs.median('b4', 'brine'), 1.5)
        for file in ('a', 'b'):
            if runs.has(file, 'copy'):
                self.at_most(f'{file}: a copy of all, beside pread', runs.median(file, 'copy') / runs.median(file, 'copy', 'pread'), 1.15)
                self.at_most(f'{file}: a check of all CRCs, beside one CRC', runs.median(file, 'verify') / runs.median(file, 'verify', 'crc'), 1.15)
        for (file, row, name), values in runs.found.items():
            if name == 'copied':
                self.at_most(f'{file}: tensors copied on opening', max(values), 0)
        return self.found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('open_bench', help='the program, build/tests/bench/open_bench')
    parser.add_argument('--folder', default='build-bench', help='where the files are, or are made (about 1 GB)')
    parser.add_argument('--runs', type=int, default=7)
    parser.add_argument('--files', default=','.join(files.FILES), help='some of them: ' + ', '.join(f'{n} ({text})' for n, (_, text) in files.FILES.items()))
    parser.add_argument('--alone', action='store_true', help='without the peers')
    arguments = parser.parse_args()
    chosen = arguments.files.split(',')
    os.makedirs(arguments.folder, exist_ok=True)
    for file in chosen:
        files.make(arguments.folder, file)

    jobs = []
    for file in chosen:
        rows = dict(OPENING) if not arguments.alone else {row: how for row, how in OPENING.items() if how[0] == 'brine'}
        if file == 'b4':
            rows = {'brine': OPENING['brine'], 'floor': OPENING['floor'], 'first tensor': OPENING['first tensor']}
        elif file != 'e':
            rows |= READING
        jobs += [(file, row, program, what, os.path.join(arguments.folder, file + suffix)) for row, (program, what, suffix) in rows.items()]

    runs = Runs()
    order = random.Random(1)
    for _ in range(arguments.runs):
        order.shuffle(jobs)
        for file, row, program, what, path in jobs:
            runs.add(file, row, measure(arguments, program, what, path))

    for file in chosen:
        print(f'{file}: {files.FILES[file][1]}')
        report_open(runs, file)
        report_reading(runs, file)
        print()
    goals = Goals(runs).check()
    for text, kept in goals:
        print('kept  ' if kept else 'MISSED', text)
    return 0 if all(kept for _, kept in goals) else 1


if __name__ == '__main__':
    sys.exit(main())
