# SPDX-License-Identifier: MIT
"""Files of 100 kB to 1 MB that name a thing once and refer to it as often as they can: what cost.py measures beside hostile and fuzzed ones.

FILES: name -> function that gives (bytes, bytes of a second file or None). Each stands for a kind of multiplication: a long name by its uses, a
shared container by those that have it, a depth by what lies there, an order of keys by their length.

cost_files.py FOLDER writes them: NAME, and NAME.second.
"""
import os
import sys

import cost_modules  # noqa: F401, each adds its own to FILES
import cost_tensors  # noqa: F401
import cost_values  # noqa: F401
from cost_pickles import FILES

if __name__ == '__main__':
    for file_name, make in FILES.items():
        for end, data in zip(('', '.second'), make()):
            if data is None: continue
            with open(os.path.join(sys.argv[1], file_name + end), 'wb') as out: out.write(data)
