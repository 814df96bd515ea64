# SPDX-License-Identifier: MIT
"""extract.py OUT FILE…: the code examples of headers and README, as one C++ file that compiles and runs them.

An example is a block of lines in a header's comments that are three blanks in, or a cpp block of a .md file. One that defines functions stands
as it is; any other is the body of a function, in which the names of prelude.hpp are what it assumes. `run_examples` runs them all.
"""
import os
import re
import sys


def header_blocks(lines):
    block, start = [], 0
    for number, line in enumerate([*lines, ''], 1):
        code = re.match(r'\s*///?   (.*)', line)
        blank = re.fullmatch(r'\s*///?', line)
        if code and (block or not code[1].startswith(' ')):
            if not block: start = number
            block.append(code[1])
        elif blank and block: block.append('')
        else:
            if block: yield start, block
            block = []


def page_blocks(lines):
    block = None
    for number, line in enumerate(lines, 1):
        if line == '```cpp': block, start = [], number + 1
        elif line == '```' and block is not None:
            yield start, block
            block = None
        elif block is not None: block.append(line)


def main():
    out, *files = sys.argv[1:]
    code, calls = ['#include "prelude.hpp"', ''], []
    for path in files:
        name = os.path.basename(path)
        lines = open(path, encoding='utf-8').read().split('\n')
        for start, block in page_blocks(lines) if path.endswith('.md') else header_blocks(lines):
            block = [line for line in block if not line.startswith('#include')]
            text = '\n'.join(block)
            if not text.strip(): continue
            where = f'#line {start} "{name}"'
            if re.search(r'^[\w:<>]+ \w+\(.*\) \{$', text, re.M): code += [where, text]
            else:
                function = f'example_{re.sub(r"[^0-9a-zA-Z]", "_", name)}_{start}'
                code += ['static void ' + function + '() {', where, text, '}']
                calls.append(f'  running("{name}, line {start}");\n  {function}();')
    code += ['void run_examples() {', *calls, '}', '']
    open(out, 'w', encoding='utf-8').write('\n'.join(code))


if __name__ == '__main__':
    main()
