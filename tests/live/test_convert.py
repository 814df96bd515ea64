#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Conversions between element types against PyTorch's, by the program convert_check of the build that holds BRINE: test_convert.py BRINE"""
import os
import sys

import common
import convert_check

program = os.path.join(os.path.dirname(common.command()), '..', 'tests', 'convert_check')
if not os.access(program, os.X_OK):
    print('convert_check is not built')
    sys.exit(77)
compared, differ = convert_check.check(program)
print(f'{compared - differ} passed, {differ} failed, 0 skipped')
sys.exit(1 if differ else 0)
