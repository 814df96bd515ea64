# SPDX-License-Identifier: MIT
"""What the live tests share: running brine, comparing its listing with an expected one, counting.

A test makes one Tally, calls ok/fail/skip on it and ends with `sys.exit(tally.close())`, which prints the line
`N passed, N failed, N skipped`. The bounds on time and memory hold for plain builds; a sanitizer's build is slower and larger, so
BRINE_TEST_SECONDS and BRINE_TEST_MIB raise them.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.normpath(os.path.join(HERE, '..', 'golden'))
SECONDS = float(os.environ.get('BRINE_TEST_SECONDS', '1'))
MIB = float(os.environ.get('BRINE_TEST_MIB', '64'))
THREADS = 2
FIELDS = ('name', 'dtype', 'shape', 'stride', 'storage_offset', 'device', 'requires_grad', 'nbytes', 'crc32', 'layout')


def command(argv=None):
    """The brine of the command line; a test run without one, or with one that is not there, stops with 2."""
    argv = sys.argv if argv is None else argv
    if len(argv) < 2 or not os.access(argv[1], os.X_OK):
        sys.exit(f'usage: {argv[0]} BRINE   (the built command)')
    return os.path.abspath(argv[1])


def built(brine, name):
    """The program of this name that the build made for the tests; without it the test is one that cannot run."""
    path = os.path.join(os.path.dirname(brine), '..', 'tests', name)
    if not os.access(path, os.X_OK):
        print(f'{name} is not built')
        sys.exit(77)
    return path


def shared_folder():
    """The folder with the hostile files and the inert unpickler, or None: $BRINE_SHARED, else `shared` beside the repository."""
    path = os.environ.get('BRINE_SHARED') or os.path.join(HERE, '..', '..', '..', 'shared')
    return os.path.normpath(path) if os.path.isdir(path) else None


class Result:
    """One run: status (negative for a signal, None for a timeout), text of both streams, seconds, peak memory in MiB."""
    def __init__(self, args, status, out, err, seconds, mib=None):
        self.args, self.status, self.out, self.err, self.seconds, self.mib = args, status, out, err, seconds, mib

    def text(self):
        return self.out.decode('utf-8', 'surrogatepass')

    def error(self):
        return self.err.decode('utf-8', 'replace')

    def json(self):
        return json.loads(self.text())

    def refused(self):
        """None when brine refused as it should: status 1, nothing printed but one line on standard error, and with --json the same as an object on
        standard output; else what is wrong."""
        if self.status is None: return 'no answer in time'
        if self.status != 1: return f'status {self.status}, a refusal is 1'
        lines = self.error().splitlines()
        if len(lines) != 1: return f'{len(lines)} lines on standard error: {lines[:3]}'
        if not lines[0].startswith('brine: '): return f'the line does not start with "brine: ": {lines[0][:120]}'
        if any(ord(c) < 32 or ord(c) == 127 for c in lines[0]): return f'control characters in the message: {lines[0][:120]!r}'
        if '--json' not in self.args: return f'{len(self.out)} bytes on standard output' if self.out else None
        try:
            error = self.json()
        except ValueError as e:
            return f'no JSON on standard output: {e}'
        if list(error) != ['error'] or set(error['error']) != {'kind', 'code', 'message', 'file', 'record', 'offset', 'opcode', 'path'}:
            return f'no error on standard output: {error}'
        if not (lines[0].endswith(f"[{error['error']['kind']}]") or error['error']['kind'] == 'usage'):
            return f"the kind on standard output is {error['error']['kind']}, the line says {lines[0]}"
        return None

    def kind(self):
        """The kind of the library's error: `brine: MESSAGE [kind]`; or None."""
        found = re.search(r' \[(\w+)\]$', self.error().strip())
        return found and found[1]


def run(brine, *args, timeout=60):
    start = time.monotonic()
    try:
        p = subprocess.run([brine, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                           stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as e:
        return Result(args, None, e.stdout or b'', e.stderr or b'', time.monotonic() - start)
    return Result(args, p.returncode, p.stdout, p.stderr, time.monotonic() - start)


# The kernel counts what a process had before exec, too: so a small one starts what is measured. It takes lines [arguments, out, err, seconds],
# and answers [status or null, processor seconds, KiB].
STARTER = """
import json, os, signal, sys
for line in sys.stdin:
    args, out, err, timeout = json.loads(line)
    pid = os.fork()
    if pid == 0:
        for fd, path in ((1, out), (2, err)): os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), fd)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        try: os.execv(args[0], args)
        except OSError as e: os.write(2, str(e).encode()); os._exit(127)
    late = []
    signal.signal(signal.SIGALRM, lambda *_: (late.append(1), os.kill(pid, signal.SIGKILL)))
    signal.setitimer(signal.ITIMER_REAL, timeout)
    _, status, usage = os.wait4(pid, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(json.dumps([None if late else os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss]), flush=True)
"""
starters = threading.local()


def measured(brine, *args, folder, timeout=20):
    """Run brine and measure its processor seconds and its peak memory, as the kernel counted them. The output goes through files in
    `folder`, one pair a thread, so that a large one cannot block."""
    name = os.path.join(folder, f'run-{threading.get_ident()}')
    if not hasattr(starters, 'process'):
        starters.process = subprocess.Popen([sys.executable, '-c', STARTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    starters.process.stdin.write(json.dumps([[brine, *args], name + '.out', name + '.err', timeout]) + '\n')
    starters.process.stdin.flush()
    status, seconds, kib = json.loads(starters.process.stdout.readline())
    with open(name + '.out', 'rb') as out, open(name + '.err', 'rb') as err:
        return Result(args, status, out.read(), err.read(), seconds, kib / 1024)


def in_parallel(function, items):
    """function(item) for each, two at a time, results in order."""
    with ThreadPoolExecutor(THREADS) as pool:
        yield from pool.map(function, items)


def partition(tensors):
    """Which tensors share a storage: the storages' names replaced by numbers of first appearance."""
    seen = {}
    return [None if t.get('storage') is None else seen.setdefault(str(t['storage']), len(seen)) for t in tensors]


def difference(want, got, fields=FIELDS):
    """The first difference of two lists of tensors as text, or None."""
    if [t['name'] for t in want] != [t.get('name') for t in got]:
        w, g = [t['name'] for t in want], [t.get('name') for t in got]
        if sorted(map(str, w)) == sorted(map(str, g)): return f'the same names in another order: {g[:6]}, expected {w[:6]}'
        lost, new = [n for n in w if n not in g], [n for n in g if n not in w]
        return f'{len(g)} tensors, expected {len(w)}; missing {lost[:4]}, too many {new[:4]}'
    for w, g in zip(want, got):
        for f in fields:
            if f in w and json.dumps(w[f]) != json.dumps(g.get(f)):
                return f'{w["name"]!r}: {f} is {g.get(f)!r}, expected {w[f]!r}'
    if partition(want) != partition(got):
        return f'storages are shared otherwise: {partition(got)[:12]}, expected {partition(want)[:12]}'
    return None


not_compared = set()      # what a listing leaves out altogether; named once as a skip when the test closes


def array_difference(want, got):
    keys = ('name', 'dtype', 'shape', 'crc32')
    w, g = ([{k: a.get(k) for k in keys} for a in x] for x in (want, got))
    return None if w == g else f'arrays are {g[:2]}, expected {w[:2]}'


def listing_difference(brine, path, want):
    """Hold `ls --all` and `ls` of one file against an expected listing: None, or what differs.

    want: format, tensors, arrays (may be absent); state_dict, a list of tensors (or of their names), None where there is none;
    state_dict_at.
    """
    r = run(brine, 'ls', '--all', '--json', '--crc', path)
    if r.status != 0: return f'ls --all: status {r.status}: {r.error().strip()[:300]}'
    try:
        got = r.json()
    except ValueError as e:
        return f'ls --all: no JSON: {e}'
    if got.get('format') != want['format']: return f'format is {got.get("format")!r}, expected {want["format"]!r}'
    why = difference(want['tensors'], got['tensors'])
    if 'arrays' in got: why = why or array_difference(want.get('arrays', []), got['arrays'])
    elif want.get('arrays'): not_compared.add('numpy arrays: the listing has no `arrays`')
    if why: return f'ls --all: {why}'
    r = run(brine, 'ls', '--json', '--crc', path)
    if want['state_dict'] is None:
        why = r.refused()
        return f'ls, where there is no state dict: {why}' if why else None
    if r.status != 0: return f'ls: status {r.status}: {r.error().strip()[:300]}'
    got = r.json()
    if got.get('at') != want['state_dict_at']: return f'ls: state dict at {got.get("at")!r}, expected {want["state_dict_at"]!r}'
    names = want['state_dict']
    if names and isinstance(names[0], dict):
        why = difference(names, got['tensors'])
    else:
        have = [t['name'] for t in got['tensors']]
        why = None if have == names else f'names {have[:6]} ({len(have)}), expected {names[:6]} ({len(names)})'
    return f'ls: {why}' if why else None


class Tally:
    """Counts what passed, prints what did not."""
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def ok(self):
        self.passed += 1

    def fail(self, what, why):
        self.failed += 1
        print(f'FAIL {what}: {str(why).strip()}', flush=True)

    def check(self, what, why):
        """why: None or '' when it is right, else what is wrong."""
        if why: self.fail(what, why)
        else: self.ok()

    def skip(self, what, why):
        self.skipped += 1
        print(f'skipped: {what}: {why}', flush=True)

    def close(self):
        for what in sorted(not_compared): self.skip('comparison of', what)
        print(f'{self.passed} passed, {self.failed} failed, {self.skipped} skipped', flush=True)
        return 1 if self.failed else 0


def run_tests(functions, brine, given=lambda brine, folder: (brine, folder)):
    """Calls each test_…() of these globals, with a folder of its own, and counts it; what it lacks to import is skipped. Returns the exit status."""
    tally = Tally()
    for name, test in list(functions.items()):
        if not name.startswith('test_'): continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(*given(brine, folder))
                tally.ok()
            except ImportError as e:
                tally.skip(name, f'{e.name} is not here')
            except Exception as e:
                tally.fail(name, f'{type(e).__name__}: {e}')
    return tally.close()
