#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cost.py BRINE: what any file may cost, measured: every verb of the command, and every call of the library (cost_calls.cpp), on every hostile
file of the folder `shared`, on the files of cost_files.py, on what fuzzing found once, and on the seeds of the fuzz targets that the build made.

One formula for all: 1 s and 2 us a byte of processor time, 48 MiB and 128 times the file of memory, 1 MiB and 24 times the file of output;
the status is 0, 1 or 2. `shared`'s own trials hold larger files against it: they are one test more. Needs no PyTorch; a build without sanitizers.
"""
import csv
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile

from common import HERE, Tally, built, command, in_parallel, measured, shared_folder
from torch_zip import checkpoint

# F is the file, SECOND the other one of a pair or the file itself, OUT a file to write, NAME the first tensor's.
VERBS = ('ls F', 'ls --all --json F', 'ls F --crc', 'ls F --json --sort size', 'ls F --member data', 'ls F --offset 1', 'show F', 'show --json F', 'show F --source',
         'show F --modules', 'pickle F', 'cat F NAME', 'cat F NAME --npy', 'diff F SECOND', 'diff F SECOND --json', 'diff F SECOND --state-dict', 'match F SECOND',
         'match F SECOND --json', 'check F', 'check F --json', 'stats F', 'stats F --json', 'convert F OUT', 'convert F OUT --state-dict',
         'convert F OUT --cast float16', 'convert F OUT --rename s/^/x./', 'convert F OUT --drop-at a')
MOST_SEEDS = 150      # of each target; fewer where that would be too many


def hostile_files(tally):
    shared = shared_folder()
    if shared is None:
        tally.skip('hostile files and trials', 'the folder shared is not here')
        return
    with open(os.path.join(shared, 'hostile', 'EXPECTED.tsv'), encoding='utf-8', newline='') as f:
        for row in csv.DictReader(f, delimiter='\t', quoting=csv.QUOTE_NONE):
            with open(os.path.join(shared, 'hostile', row['file']), 'rb') as file: data = file.read()
            yield row['file'], checkpoint(data) if row['stage'] == 'pickle' else data


def made_files(folder):
    """Of cost_files.py: read when they are measured, and made by another process, as this one is to stay small."""
    subprocess.run([sys.executable, os.path.join(HERE, 'cost_files.py'), folder], check=True)
    for name in sorted(os.listdir(folder)):
        if not name.endswith('.second'): yield name, os.path.join(folder, name)


def as_file(target, data):
    """An input of a fuzz target as the file that it stands for; None where it stands for none."""
    if target == 'pickle': return checkpoint(data)
    if target == 'resave': return data[1:]
    if target == 'write': return checkpoint(data[2:]) if data[:1] == b'\xff' else None
    if target == 'legacy':
        return bytes.fromhex('80028a0a6cfc9c46f9206aa850192e80024de9032e') + data
    return data


def fuzz_files(build):
    """(name, data), and how many were left out."""
    left_out = 0
    for folder in sorted(glob.glob(os.path.join(HERE, '..', '..', 'fuzz', 'corpus', '*')) + glob.glob(os.path.join(build, 'fuzz', 'seeds', '*')) +
                         glob.glob(os.path.join(build, '..', 'build-fuzz', 'corpus', '*'))):
        target = os.path.basename(folder)
        names = sorted(os.listdir(folder))
        every = -(-len(names) // MOST_SEEDS) or 1
        left_out += len(names) - len(names[::every])
        for name in names[::every]:
            with open(os.path.join(folder, name), 'rb') as f: data = as_file(target, f.read())
            if data is not None: yield f'{target}/{name}', data
    if left_out: print(f'{left_out} seeds are left out')


def inflated_size(path):
    """Of the deflated records, whose bytes `brine pickle` and `brine cat` print; else 0."""
    try:
        with zipfile.ZipFile(path) as z: return sum(e.file_size for e in z.infolist() if e.compress_type)
    except Exception:
        return 0


def seconds_for(size): return 1 + 2e-6 * size


def fault(r, size, printed=0):
    """None when a run kept to the formula, else what is wrong."""
    if r.status is None: return 'no answer in time'
    if r.status not in (0, 1, 2): return f'status {r.status}: {r.error().strip()[-200:]}'
    if r.seconds > seconds_for(size): return f'{r.seconds:.2f} s for {size} bytes'
    if r.mib > 48 + 128 * size / (1 << 20): return f'{r.mib:.0f} MiB for {size} bytes'
    if len(r.out) > (1 << 20) + 24 * max(size, printed): return f'{len(r.out)} bytes of output for {size} bytes'
    return None


def main():
    brine, tally = command(), Tally()
    calls = built(brine, 'cost_calls')
    help_text = subprocess.run([brine, '--help'], capture_output=True, text=True).stdout
    verbs = [v for v in VERBS if f'\n  {v.split()[0]} ' in help_text]
    if len(verbs) < len(VERBS): print('verbs that are not there:', *sorted({v.split()[0] for v in VERBS} - {v.split()[0] for v in verbs}))
    call_names = subprocess.run([calls], capture_output=True, text=True).stdout.splitlines()
    with tempfile.TemporaryDirectory() as folder:
        def measured_again(size, *words):
            """The best of three where the time is too long: the machine may have others to serve."""
            for _ in range(3):
                r = measured(*words, folder=folder)
                if r.status is None or r.seconds <= seconds_for(size): break
            return r

        def examine(numbered):
            number, (name, data) = numbered
            path, written = os.path.join(folder, f'{number}.pth'), os.path.join(folder, f'{number}.out.pth')
            if isinstance(data, str):
                os.rename(data, path)
            else:
                with open(path, 'wb') as f: f.write(data)
            other = f'{data}.second' if isinstance(data, str) and os.path.exists(f'{data}.second') else path
            size = os.path.getsize(path) + (os.path.getsize(other) if other != path else 0)
            faults, runs, first = [], 0, None
            for verb in verbs:
                if 'NAME' in verb and first is None: continue
                words = [{'F': path, 'SECOND': other, 'OUT': written, 'NAME': first}.get(w, w) for w in verb.split()]
                r = measured_again(size, brine, *words)
                runs += 1
                if verb.startswith('ls --all --json') and r.status == 0:
                    named = re.search(rb'"name": ?("(?:[^"\\]|\\.){1,50000}")', r.out[:1 << 20])
                    first = json.loads(named[1]) if named and not named[1].startswith(b'"-') else None
                why = fault(r, size, inflated_size(path) if verb.startswith(('pickle', 'cat')) else 0)
                if why: faults.append((f'brine {verb}, {name}', why))
                if os.path.exists(written): os.remove(written)
            for call in call_names:
                r = measured_again(size, calls, call, path)
                runs += 1
                why = fault(r, size)
                if why: faults.append((f'{call}, {name}', why))
            os.remove(path)
            if other != path: os.remove(other)
            return runs, faults

        made = os.path.join(folder, 'made')
        os.mkdir(made)
        files = [*made_files(made), *hostile_files(tally), *fuzz_files(os.path.join(os.path.dirname(brine), '..'))]
        for runs, faults in in_parallel(examine, enumerate(files)):
            tally.passed += runs - len(faults)
            for what, why in faults: tally.fail(what, why)
    shared = shared_folder()
    trials = shared and os.path.join(shared, 'tools', 'trials.py')
    if trials and os.path.exists(trials):
        done = subprocess.run([sys.executable, trials, brine], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace')
        print(done.stdout, end='')
        tally.check('trials.py', None if done.returncode == 0 else done.stdout.strip().splitlines()[-1:])
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
