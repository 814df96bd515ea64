# SPDX-License-Identifier: MIT
"""test_tutorial_page.py BRINE [--write]: examples/tutorial/README.md says what its programs do.

  ```cpp      after a line <!-- NAME.cpp -->: that program, from below its includes on
  ```console  each line `$ …` is run, and printed what follows; programs are those of the build that holds BRINE, and brine itself
  ```python   one script in all, run with PyTorch; a ```text block right after one is what it printed, errors as their last line

Blanks at the ends of lines, which PyTorch prints, do not count.

The steps run in the page's order in one folder, so that Python and C++ read each other's files. Without PyTorch the folder has the
repository's own copy of the two files that the page's Python saves. --write puts what was printed into the page.
"""
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import types
import warnings
from contextlib import redirect_stdout

from common import HERE, Tally, command

FOLDER = os.path.normpath(os.path.join(HERE, '..', '..', 'examples', 'tutorial'))
PAGE = os.path.join(FOLDER, 'README.md')
BLOCK = re.compile(r'(?:<!-- (?P<file>[\w.]+) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)```\n', re.S)


def program_text(name):
    """A program as the page shows it: what follows its includes."""
    with open(os.path.join(FOLDER, name), encoding='utf-8') as f: source = f.read()
    return re.split(r'^#include .*\n', source, flags=re.M)[-1].lstrip('\n')


def console(text, brine, folder):
    """The block again, with what its commands print now."""
    out = []
    for line in text.splitlines():
        if not line.startswith('$ '): continue
        words = line[2:].split()
        path = brine if words[0] == 'brine' else os.path.join(os.path.dirname(brine), '..', 'examples', 'tutorial', words[0])
        p = subprocess.run([path, *words[1:]], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        out += [line, *p.stdout.splitlines()]
    return '\n'.join(out) + '\n'


class Script:
    """The page's Python, block by block in one module that is __main__, as a script of the reader's own is."""
    def __init__(self):
        self.module = sys.modules['__main__'] = types.ModuleType('__main__')

    def run(self, text):
        out = io.StringIO()
        with redirect_stdout(out), warnings.catch_warnings():
            warnings.simplefilter('ignore')
            try:
                exec(compile(text, 'README.md', 'exec'), vars(self.module))
            except Exception as e:
                print(f'{type(e).__name__}: {e}')
        return out.getvalue()


def main():
    brine, tally = command(), Tally()
    with open(PAGE, encoding='utf-8') as f: page = f.read()
    try:
        import torch
        script = Script()
        print(f'with PyTorch {torch.__version__}')
    except ImportError:
        script = None
        tally.skip("the page's Python", 'no PyTorch')
    printed, edits, start = None, [], os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name in ('only_weights.pth', 'whole_model.pth'): shutil.copy(os.path.join(FOLDER, name), folder)
        for block in BLOCK.finditer(page):
            kind, text = block['kind'], block['text']
            label = f'line {page.count(chr(10), 0, block.start()) + 1}, {kind}'
            now = None
            if kind == 'cpp': now = program_text(block['file']) if block['file'] else None
            elif kind == 'console': now = console(text, brine, folder)
            elif kind == 'text' and script: now, printed = printed, ''
            elif kind == 'python' and script:
                if printed: tally.fail(label, f'the page does not show what the step before printed: {printed}')
                printed = script.run(text)
            if now is None: continue
            now = re.sub(r' +$', '', now, flags=re.M)
            tally.check(label, None if now == text else f'the page has\n{text}and it is\n{now}')
            edits.append((block.start('text'), block.end('text'), now))
        if printed: tally.fail('the last step', f'the page does not show what it printed: {printed}')
        os.chdir(start)
    if '--write' in sys.argv:
        for begin, end, now in reversed(edits): page = page[:begin] + now + page[end:]
        with open(PAGE, 'w', encoding='utf-8') as f: f.write(page)
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
