#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The direction of includes: layering_test.py SOURCE_ROOT

A folder of lib/ includes only itself and folders left of it in STAGES, and the public headers of these; files directly in lib/ may include all.
Public headers include the standard library and public headers of their own stage and those left of it, nothing else. Every ErrorCode and Note::Code has its sentence.
"""
import pathlib
import re
import sys

STAGES = 'support bytes archive graph pickle tensor torch forms module state load inspect'.split()
PUBLIC = {
    'support': 'error export limits note result shape text version',
    'bytes': 'sink source',
    'graph': 'kind',
    'pickle': 'instruction',
    'tensor': 'convert dtype layout make_tensor stats tensor',
    'torch': 'array dtensor value',
    'forms': 'load_options save_options',
    'module': 'module',
    'state': 'cast checkpoint edits left_out save state_dict state_dict_tools tree',
    'load': 'load_state_dict parameters',
    'inspect': 'brine check diff',
}
STAGE_OF = {f'brine/{name}.hpp': stage for stage, names in PUBLIC.items() for name in names.split()}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def check_lib(path, stage, faults):
    for form, name in INCLUDE.findall(path.read_text('utf-8')):
        first = STAGE_OF.get(name) if form == '<' else name.split('/')[0]
        if form == '"' and first not in STAGES:
            faults.append(f'{path}: "{name}" is not of the form "stage/file.hpp"')
        elif first and stage and STAGES.index(first) > STAGES.index(stage):
            faults.append(f'{path}: {stage}/ includes {name}, which is to its right: {" ".join(STAGES)}')


def check_public(path, faults):
    stage = STAGE_OF.get(f'brine/{path.name}')
    if not stage: faults.append(f'{path}: no stage of PUBLIC has it')
    for form, name in INCLUDE.findall(path.read_text('utf-8')):
        if form != '<' or not (name in STAGE_OF or re.fullmatch(r'[a-z_]+', name)):
            faults.append(f'{path}: a public header includes {form}{name}; only <brine/…> and the standard library are allowed')
        elif stage and name in STAGE_OF and STAGES.index(STAGE_OF[name]) > STAGES.index(stage):
            faults.append(f'{path}: a header of {stage}/ includes {name}, which is to its right: {" ".join(STAGES)}')


def check_codes(path, faults):
    found = re.search(r'enum class (?:Error)?Code[^{]*\{(.*?)\};', path.read_text('utf-8'), re.S)
    for line in found[1].splitlines() if found else ['nothing']:
        if line.strip() and not re.fullmatch(r'\s*//.*|\s*\w+,\s+///< .+', line):
            faults.append(f'{path}: expected an enumerator and its sentence, found {line.strip()!r}')


def main():
    root = pathlib.Path(sys.argv[1])
    faults, files = [], 0
    for path in sorted((root / 'lib').rglob('*.[ch]pp')):
        parts = path.relative_to(root / 'lib').parts
        if len(parts) > 1 and parts[0] not in STAGES:
            faults.append(f'{path}: lib/{parts[0]}/ is no stage of the road')
            continue
        check_lib(path, parts[0] if len(parts) > 1 else None, faults)
        files += 1
    for path in sorted((root / 'include').rglob('*.hpp')):
        check_public(path, faults)
        files += 1
    for name in ('error.hpp', 'note.hpp'): check_codes(root / 'include' / 'brine' / name, faults)
    for fault in faults:
        print(fault)
    print(f'{files} files, {len(faults)} faults')
    return 1 if faults or not files else 0


if __name__ == '__main__':
    sys.exit(main())
