#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts what `meson test` did: count.py TESTLOG.json PREFIX

Prints a line "pass<TAB>count", "fail<TAB>name" or "skip<TAB>name: reason" for each result; `dev` adds them up. A doctest program counts as its
test cases. A line "skipped: NAME: REASON" in a test's output is a skip of its own, whatever became of the rest.
"""
import json
import re
import sys

CASES = re.compile(r'test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed \|\s*(\d+) skipped')


def report(verdict, text):
    print(verdict, str(text).replace('\t', ' '), sep='\t')


def count(test, prefix):
    name = prefix + re.split(r' - | / ', test['name'])[-1].replace('brine:', '').strip()
    output = test.get('stdout', '')
    named = re.findall(r'^skipped: (.+)$', output, re.M)
    for reason in named:
        report('skip', f'{name}: {reason}')
    cases = CASES.search(output)
    passed, failed, left_out = map(int, cases.groups()) if cases else (0, 0, 0)
    if test['result'] in ('OK', 'EXPECTEDFAIL'):
        report('pass', passed if cases else 1)
    elif test['result'] == 'SKIP':
        if not named:
            report('skip', f'{name}: {(output.strip().splitlines() or ["no reason given"])[-1]}')
    else:
        if passed:
            report('pass', passed)
        for _ in range(max(failed, 1)):
            report('fail', f'{name}: {test["result"]}')
    if left_out:
        report('skip', f'{name}: {left_out} test cases were left out')


for line in open(sys.argv[1], encoding='utf-8'):
    count(json.loads(line), sys.argv[2])
