# SPDX-License-Identifier: MIT
"""test_parts.py BRINE: checkpoints that are a part of a file, by PyTorch: members of a zip in every verb, several objects in one file, other bytes
around one, files that were transferred as text. What a message advises is done, and must work.
"""
import io
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
import warnings
import zipfile

from common import Tally, command, run

try:
    import torch
except ImportError:
    print('PyTorch is not here')
    sys.exit(77)


def saved(value, **options):
    out = io.BytesIO()
    torch.save(value, out, **options)
    return out.getvalue()


def old(value):
    return saved(value, _use_new_zipfile_serialization=False)


def weights(n):
    return {'w': torch.arange(float(n)), 'b': torch.ones(2)}


def agent(compression=zipfile.ZIP_STORED):
    """What stable-baselines3's save() writes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', compression) as z:
        z.writestr('data', json.dumps({'policy_class': {':type:': "<class 'abc.ABCMeta'>"}, 'gamma': 0.99}))
        z.writestr('pytorch_variables.pth', saved({}))
        z.writestr('policy.pth', saved(weights(5)))
        z.writestr('policy.optimizer.pth', saved({'state': {0: {'exp_avg': torch.ones(3)}}, 'param_groups': [{'lr': 0.1, 'params': [0]}]}))
        z.writestr('_stable_baselines3_version', '2.3.2')
        z.writestr('system_info.txt', 'OS: Linux')
    return out.getvalue()


class Files:
    def __init__(self, brine, tally, folder):
        self.brine, self.tally, self.folder = brine, tally, folder

    def write(self, name, data):
        path = os.path.join(self.folder, name)
        with open(path, 'wb') as f: f.write(data)
        return path

    def check(self, what, args, status=0, says=()):
        r = run(self.brine, *args)
        said = r.text() + r.error()
        why = f'status {r.status}, not {status}' if r.status != status else next((f'no {word!r}' for word in says if word not in said), None)
        self.tally.check(what, why and f'{why}: {said[-600:]}')
        return r


def members(f):
    plain = f.write('policy.pth', saved(weights(5)))
    for name, data in (('agent.zip', agent()), ('packed.zip', agent(zipfile.ZIP_DEFLATED))):
        path, member = f.write(name, data), ('--member', 'policy.pth')
        f.check(f'{name} is named', ['ls', path], 1, ['Stable-Baselines3', 'policy.pth', 'policy.optimizer.pth', 'pytorch_variables.pth', '--member policy.pth', 'not_a_checkpoint'])
        for more in ([], ['--no-mmap']):
            f.check(f'{name}: ls', ['ls', path, *member, *more], 0, ['w  float32  [5]'])
            f.check(f'{name}: show', ['show', path, *member, *more], 0, ["'w': Tensor float32 [5]"])
            f.check(f'{name}: cat', ['cat', path, 'w', *member, *more], 0, ['0 1 2 3 4'])
            f.check(f'{name}: check', ['check', path, *member, *more], 0, ['every CRC is right'])
            f.check(f'{name}: stats', ['stats', path, *member, *more], 0, ['all finite'])
            f.check(f'{name}: diff', ['diff', path, plain, '--member-a', 'policy.pth', *more], 0, ['2 names in both: equal'])
            f.check(f'{name}: diff of two members', ['diff', path, path, *member, *more], 0, ['2 names in both: equal'])
            f.check(f'{name}: match', ['match', plain, path, '--member-weights', 'policy.pth', *more], 0, ['All keys matched'])
        f.check(f'{name}: pickle', ['pickle', path, *member], 0, ['archive/data.pkl:', 'PROTO'])
        out = os.path.join(f.folder, f'out-{name}.pth')
        f.check(f'{name}: convert', ['convert', path, out, *member])
        got = torch.load(out)
        f.tally.check(f'{name}: what convert wrote', None if torch.equal(got['w'], torch.arange(5.)) else got)
        f.check(f'{name}: another member', ['ls', path, '--all', '--member', 'policy.optimizer.pth'], 0, ['state.0.exp_avg'])
        f.check(f'{name}: no such member', ['ls', path, '--member', 'policy'], 1, ["no member 'policy'", 'policy.pth', 'system_info.txt'])
        f.check(f'{name}: no checkpoint', ['ls', path, '--member', 'data'], 1, [f'{path}, member data: ', 'JSON'])
    f.check('a file that is no zip', ['ls', f.write('old.pth', old(weights(2))), '--member', 'x'], 1, ['only a zip has members'])


def other_zips(f):
    try:
        import numpy as np
        np.savez(os.path.join(f.folder, 'a.npz'), x=np.arange(3), y=np.ones((2, 2)))
        np.savez_compressed(os.path.join(f.folder, 'b.npz'), x=np.arange(3))
        for name in 'a.npz', 'b.npz': f.check(name, ['ls', os.path.join(f.folder, name)], 1, ['NumPy archive (.npz)', 'numpy.load'])
    except ImportError:
        f.tally.skip('np.savez', 'numpy is not here')
    for name, members, word in (('m.keras', ('metadata.json', 'config.json', 'model.weights.h5'), 'Keras'), ('d.docx', ('[Content_Types].xml', '_rels/.rels', 'word/document.xml'), 'Office'),
                                ('j.jar', ('META-INF/MANIFEST.MF', 'a/B.class'), 'Java'), ('z.zip', ('a.txt', 'b/c.txt'), 'a.txt and b/c.txt')):
        for method in zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED:
            out = io.BytesIO()
            with zipfile.ZipFile(out, 'w', method) as z:
                for member in members: z.writestr(member, 'something ' * 50)
            f.check(f'{name}, method {method}', ['ls', f.write(name, out.getvalue())], 1, [word, '[not_a_checkpoint]'])


def parts(f):
    """Files in which a checkpoint is a part: each option that the message advises opens its object."""
    zips, streams = [saved(weights(n)) for n in (1, 2, 3)], [old(weights(n)) for n in (1, 2, 3)]
    header = pickle.dumps({'header': 1}, 2)
    cases = {'two zips': (zips[0] + zips[1], [1, 2]), 'three zips': (b''.join(zips), [1, 2, 3]), 'a zip and a stream': (zips[0] + streams[1], [1, 2]),
             'a stream and a zip': (streams[0] + zips[1], [2]), 'three streams': (b''.join(streams), [2]), 'junk, zip': (b'junk' * 7 + zips[1], [2]),
             'zeros, zip': (bytes(512) + zips[1], [2]), 'zip, junk': (zips[1] + b'junk', [2]), 'zip, much junk': (zips[1] + b'j' * 70000, [2]),
             'junk, zip, junk': (b'junk' + zips[1] + b'junk', [2]), 'junk, stream': (b'junk' + streams[1], [2]), 'zip, gap, zip': (zips[0] + bytes(9) + zips[1], [1, 2]),
             'pickle, zip': (header + zips[1], [2]), 'pickle, stream': (header + streams[1], [2])}
    for name, (data, wanted) in cases.items():
        path = f.write('part.pth', data)
        r = run(f.brine, 'ls', path)
        said = r.text() + r.error()
        got = []
        for advice in re.findall(r'((?:--\w+ \d+ ?)+)opens it', said):
            again = run(f.brine, 'cat', path, 'w', *advice.split())
            got.append(len(again.text().split()) if again.status == 0 else again.error())
        f.tally.check(name, None if got == wanted else f'{got}, expected {wanted}: {said[-500:]}')
    path = f.write('part.pth', b''.join(streams))
    f.check('check tells of the next object', ['check', path], 0, [f'another saved object follows at byte {len(streams[0])}'])
    f.check('--length is of every verb', ['convert', f.write('part.pth', zips[0] + b'junk'), os.path.join(f.folder, 'cut.pth'), '--length', str(len(zips[0]))])
    f.check('diff of two objects in a file', ['diff', f.write('part.pth', zips[1] + zips[1]), path.replace('part', 'part'), '--length-a', str(len(zips[1])), '--offset-b', str(len(zips[1]))])
    f.check('a length beyond the end', ['ls', path, '--length', '9999999'], 1, ['behind the end'])
    f.check('a length that is none', ['ls', path, '--length', '-1'], 2, ['--length'])


def two_files(f):
    """Advice of the verbs that take two files names the options of the file it is about."""
    plain, several = f.write('plain.pth', saved(weights(5))), f.write('several.pth', saved({'a b': weights(5), 'c': weights(6)}))
    zipped, behind = f.write('zip.zip', agent()), f.write('behind.pth', b'JUNKJUNK' + saved(weights(5)))
    for verb, first, second in (('diff', '-a', '-b'), ('match', '-model', '-weights')):
        more = ['--state-dict'] if verb == 'diff' else []
        for side, files in ((first, lambda odd: [odd, plain]), (second, lambda odd: [plain, odd])):
            f.check(f'{verb}: --at{side}', [verb, *files(several), *more], 1, [f"--at{side} 'a b'"])
            f.check(f'{verb}: --at{side} works', [verb, *files(several), *more, f'--at{side}', 'a b'])
            f.check(f'{verb}: --member{side}', [verb, *files(zipped)], 1, [f'--member{side} policy.pth'])
            f.check(f'{verb}: --member{side} works', [verb, *files(zipped), f'--member{side}', 'policy.pth'])
            f.check(f'{verb}: --offset{side}', [verb, *files(behind)], 1, [f'--offset{side} 8'])
            f.check(f'{verb}: --offset{side} works', [verb, *files(behind), f'--offset{side}', '8'])


def places_as_shells_take_them(f):
    for name, word in (('a b', "'a b'"), ('a\u202e', "$'a\\u202e'"), ("it's", "$'it\\'s'"), ('x\x1b[0m\\', "$'x\\x1b[0m\\\\'"), ('ø', 'ø')):
        path = f.write('odd.pth', saved({name: weights(2), 'other': weights(3)}))
        r = f.check(f'{name!r} is named', ['ls', path], 1, [f'--at {word} [usage]'] if name != 'ø' else ['--at '])
        advice = re.search(r'--at (.*) \[usage\]', r.error()).group(1)
        p = subprocess.run(['bash', '-c', f'"$0" ls "$1" --at {advice}', f.brine, path], capture_output=True, env={**os.environ, 'LC_ALL': 'C.UTF-8'})
        f.tally.check(f'{name!r} is found', None if p.returncode == 0 and b'[2]' in p.stdout else f'{advice}: {p}')


def as_text(f):
    torch.manual_seed(0)
    for form, save in (('zip', saved), ('legacy', old)):
        for name, value in (('weights', weights(20)), ('an int', {'epoch': 3}), ('a model', torch.nn.Linear(3, 4)), ('noise', {'w': torch.randn(600, 600)})):
            data = save(value)
            transfers = {'LF to CR LF': data.replace(b'\n', b'\r\n'), 'UTF-8, replaced': data.decode('utf-8', 'replace').encode(),
                         'Latin-1 to UTF-8': data.decode('latin-1').encode(), 'code page 437 to UTF-8': data.decode('cp437').encode()}
            if name == 'noise': transfers['CR LF to LF'] = data.replace(b'\r\n', b'\n')
            for how, damaged in transfers.items():
                f.check(f'{form}, {name}: {how}', ['ls', f.write('text.pth', damaged)], 1, ['transferred as text', 'transfer it again as binary', '[corrupt]'])
            f.check(f'{form}, {name}: UTF-16', ['ls', f.write('text.pth', b'\xff\xfe' + data.decode('latin-1').encode('utf-16-le'))], 1, ['UTF-16', 'PowerShell'])
        small = save({'w': torch.tensor([13, 10] * 50, dtype=torch.uint8), 'b': torch.ones(2)})
        f.check(f'{form}, small: CR LF to LF', ['ls', f.write('text.pth', small.replace(b'\r\n', b'\n'))], 1, ['as text', 'transfer it again as binary', '[corrupt]'])
        cut = run(f.brine, 'ls', f.write('text.pth', save({'w': torch.randn(600, 600)})[:-5000]))
        f.tally.check(f'{form}: a file that is cut', None if cut.status == 1 and 'as text' not in cut.error() else cut.error())


def main():
    warnings.simplefilter('ignore')
    brine, tally = command(), Tally()
    for test in (members, other_zips, parts, two_files, places_as_shells_take_them, as_text):
        with tempfile.TemporaryDirectory() as folder: test(Files(brine, tally, folder))
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
