# SPDX-License-Identifier: MIT
"""test_flips.py BRINE: every single bit of two small golden files flipped, each alone: brine refuses or says what PyTorch says.

Where brine accepts a flipped file, every tensor it lists must be as PyTorch reads it (name, dtype, shape, strides, bytes …). Where
PyTorch refuses one that brine accepts, the tensors listed must be among those of the unflipped file, unchanged but for `device`: a
flipped class name may only have made an object opaque.

A flipped file may name any class of the machine, so only an unpickler that can import nothing may read it: expect.py of the folder
`shared` (common.shared_folder). It runs in a process of its own with bounded memory, for a flipped size may be wild; when that process
dies, PyTorch counts as having refused.
"""
import json
import os
import subprocess
import sys
import tempfile
import threading

from common import FIELDS, GOLDEN, SECONDS, Tally, command, difference, in_parallel, run, shared_folder

FILES = ['tiny_torch1.13.pth', 'tiny_legacy_torch1.13.pth']
ROOM = 2 << 30        # bytes that the reading process may take beyond what it has once PyTorch is there


def worker(tools):
    """Reads paths from standard input, answers each with a line of JSON: what PyTorch finds in that file."""
    import resource
    sys.dont_write_bytecode = True
    sys.path.insert(0, tools)
    import expect
    with open('/proc/self/statm') as f: now = int(f.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + ROOM, now + ROOM))
    for line in sys.stdin:
        folder, name = os.path.split(line.rstrip('\n'))
        try:
            row = expect.expect(folder, name)
        except BaseException as e:      # RecursionError, MemoryError, whatever a flipped bit can bring
            row = {'error': f'{type(e).__name__}: {e}'[:300]}
        print(json.dumps(row, default=repr), flush=True)      # a location may be anything in a flipped file


class PyTorch:
    """The reading process, begun again when it dies or does not answer."""
    def __init__(self, tools):
        self.tools, self.process = tools, None

    def read(self, path):
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), '--worker', self.tools], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        clock = threading.Timer(60, self.process.kill)
        clock.start()
        try:
            self.process.stdin.write(path + '\n')
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ''
        clock.cancel()
        if line: return json.loads(line)
        return {'error': f'the reading process ended with status {self.process.wait()}'}

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait()


def among(listed, whole):
    """None when the tensors listed are a part of the whole file's, in order and but for `device` equal; else what is not."""
    fields = [f for f in FIELDS if f not in ('device', 'name')]
    rest = iter(whole)
    for t in listed:
        match = next((w for w in rest if w['name'] == t['name']), None)
        if match is None: return f'{t["name"]!r} is not in the unflipped file'
        for f in fields:
            if t.get(f) != match.get(f): return f'{t["name"]!r}: {f} is {t.get(f)!r}, in the unflipped file {match.get(f)!r}'
    return None


def judge(listing, row, whole):
    if 'error' in row:
        why = among(listing['tensors'], whole)
        return f'PyTorch refuses ({row["error"][:100]}), yet {why}' if why else None
    want = [{k: v for k, v in t.items() if not (k == 'device' and not isinstance(v, str))} for t in row['tensors']]
    return difference(want, listing['tensors'])


def main():
    brine, tally = command(), Tally()
    shared = shared_folder()
    if shared is None:
        tally.skip('every flip', 'the inert unpickler (expect.py in the folder shared) is not here')
        return tally.close()
    try:
        import torch
        assert not torch.__version__.startswith('1.')
    except (ImportError, AssertionError):
        tally.skip('every flip', 'the inert unpickler needs PyTorch 2')
        return tally.close()
    pytorch, refused, compared = PyTorch(os.path.join(shared, 'tools')), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for name in FILES:
            with open(os.path.join(GOLDEN, name), 'rb') as f: good = f.read()
            whole = run(brine, 'ls', '--all', '--json', '--crc', os.path.join(GOLDEN, name))
            if whole.status != 0:
                tally.fail(name, f'the unflipped file is not listed: {whole.error().strip()[:200]}')
                continue

            def flip(bit):
                path = os.path.join(folder, f'{bit}-{name}')
                bad = bytearray(good)
                bad[bit // 8] ^= 1 << bit % 8
                with open(path, 'wb') as f: f.write(bad)
                r = run(brine, 'ls', '--all', '--json', '--crc', path, timeout=20)
                if r.status != 0: os.remove(path)
                return bit, path, r

            for bit, path, r in in_parallel(flip, range(8 * len(good))):
                label = f'{name} byte {bit // 8} bit {bit % 8}'
                if r.seconds > SECONDS: tally.fail(label, f'{r.seconds:.2f} s')
                elif r.status != 0: tally.check(label, r.refused()); refused += 1
                else: tally.check(label, judge(r.json(), pytorch.read(path), whole.json()['tensors'])); compared += 1
                if r.status == 0: os.remove(path)
    pytorch.close()
    print(f'{refused} refused, {compared} listed and compared with PyTorch')
    return tally.close()


if __name__ == '__main__':
    if sys.argv[1:2] == ['--worker']: worker(sys.argv[2])
    else: sys.exit(main())
