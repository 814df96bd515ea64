#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Saving, beside torch.save, safetensors and a plain write() of the same bytes: save_bench.py SAVE_BENCH [options].

As bench.py: each measurement a fresh process with its own clock, the rows in another order every round. The new file is removed each time.
"""
import argparse
import os
import random
import statistics
import subprocess
import sys

import files

PEER = """
import sys, time, torch
what, source, out = sys.argv[1:]
state = dict(torch.load(source))
if what == 'torch.save': save = lambda state: torch.save(state, out)
else:
    from safetensors.torch import save_file
    save = lambda state: save_file(state, out)
save({'w': torch.zeros(1)})  # what a first call imports
start, cpu = time.perf_counter(), time.process_time()
save(state)
print('total', (time.perf_counter() - start) * 1e3)
print('cpu', (time.process_time() - cpu) * 1e3)
"""
ROWS = {'brine': 'save', 'brine, own arrays': 'own', 'plain write': 'write', 'torch.save': None, 'safetensors': None}


def measure(program, row, source, out):
    how = [program, ROWS[row]] if ROWS[row] else [sys.executable, '-c', PEER, row]
    run = subprocess.run([*how, source, out], capture_output=True, text=True)
    if run.returncode: sys.exit(f'{row} {source}: {run.stderr.strip()}')
    os.unlink(out)
    return {name: float(value) for name, value in (line.split() for line in run.stdout.splitlines())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('save_bench', help='the program, build/tests/bench/save_bench')
    parser.add_argument('--folder', default='build-bench', help='where the files are, or are made (about 300 MB)')
    parser.add_argument('--runs', type=int, default=7)
    parser.add_argument('--files', default='a,c', help='some of them: ' + ', '.join(f'{n} ({files.FILES[n][1]})' for n in 'ac'))
    arguments = parser.parse_args()
    chosen = arguments.files.split(',')
    os.makedirs(arguments.folder, exist_ok=True)
    jobs = [(file, row, files.make(arguments.folder, file)[0]) for file in chosen for row in ROWS]
    found, order = {}, random.Random(1)
    for round in range(arguments.runs):
        print(f'\rround {round + 1} of {arguments.runs}', end='', file=sys.stderr, flush=True)
        order.shuffle(jobs)
        for file, row, source in jobs:
            for name, ms in measure(arguments.save_bench, row, source, os.path.join(arguments.folder, f'saved-{file}.pth')).items():
                found.setdefault((file, row, name), []).append(ms)
    print(file=sys.stderr)

    median = {key: statistics.median(values) for key, values in found.items()}
    for file in chosen:
        print(f'{file}: {files.FILES[file][1]}')
        for row in ROWS:
            ms, least, cpu = median[file, row, 'total'], min(found[file, row, 'total']), median[file, row, 'cpu']
            beside = (f'{ms / median[file, "brine", "total"]:.2f} of brine, least {least / min(found[file, "brine", "total"]):.2f}, '
                      f'cpu {cpu / median[file, "brine", "cpu"]:.2f}')
            print(f'  {row:<18}{ms:>10.1f} ms, least {least:>7.1f}, cpu {cpu:>7.1f}' + ('' if row == 'brine' else '   ' + beside))
        share = median[file, 'brine', 'cpu'] / median[file, 'brine', 'total']
        if share < 0.8: print(f'  busy machine: brine had a processor {share:.0%} of its time; the medians say little, cpu ms more')

    goals = []
    if 'a' in chosen:
        goals += [('a: saves twice as fast as torch.save', median['a', 'torch.save', 'total'] / median['a', 'brine', 'total'], 2, 1),
                  ('a: at most 1.3 of a plain write', median['a', 'brine', 'total'] / median['a', 'plain write', 'total'], 1.3, -1)]
    if 'c' in chosen: goals += [('c: saves 50 times as fast as torch.save', median['c', 'torch.save', 'total'] / median['c', 'brine', 'total'], 50, 1)]
    for text, ratio, limit, sign in goals: print('kept  ' if sign * ratio >= sign * limit else 'MISSED', f'{text} ({ratio:.2f})')
    return 0 if all(sign * ratio >= sign * limit for _, ratio, limit, sign in goals) else 1


if __name__ == '__main__':
    sys.exit(main())
