#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Small projects use an installed brine: run.py SOURCE_ROOT BUILD_ROOT

Installs the build into a temporary folder, moves what was installed somewhere else (a package must not remember where it was made), and
builds and runs the projects meson/, cmake/ and pkgconfig/ against it; then configures meson/ with brine as a subproject. What needs a
program that is not here is skipped by name. CXX is the compiler brine was built with.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
source_root, build_root = (pathlib.Path(a).resolve() for a in sys.argv[1:3])


class Failed(Exception):
    pass


def run(*command, env=None):
    """Runs a command; its output is shown only where it fails."""
    done = subprocess.run([str(c) for c in command], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Failed(f'$ {" ".join(map(str, command))}\n{done.stdout}exit status {done.returncode}')
    return done.stdout.strip()


def install(work):
    """Returns the prefix, after it was moved."""
    # What `ninja install` would run, by the Meson that made the build folder, but without building anything.
    command = run('ninja', '-C', build_root, '-t', 'commands', 'install').splitlines()[-1]
    run('sh', '-c', f'cd "{build_root}" && {command}', env={**os.environ, 'DESTDIR': str(work / 'dest')})
    (pc,) = (work / 'dest').rglob('brine.pc')
    prefix = next(p for p in pc.parents if (p / 'include' / 'brine' / 'brine.hpp').exists())
    moved = work / 'moved to' / 'brine'  # with a space: packages must quote, too
    moved.parent.mkdir()
    shutil.move(prefix, moved)
    return moved


def project(name, work):
    """A copy of the project with main.cpp beside its build file."""
    folder = work / name
    shutil.copytree(here / name.split('-')[0], folder)
    shutil.copy(here / 'main.cpp', folder)
    return folder


def with_meson(work, prefix, env):
    folder = project('meson', work)
    run('meson', 'setup', folder / 'out', folder, env=env)
    run('ninja', '-C', folder / 'out', env=env)
    return run(folder / 'out' / 'consumer', env=env)


def with_cmake(work, prefix, env):
    folder = project('cmake', work)
    run('cmake', '-S', folder, '-B', folder / 'out', '-G', 'Ninja', f'-DCMAKE_PREFIX_PATH={prefix}', env=env)
    run('cmake', '--build', folder / 'out', env=env)
    return run(folder / 'out' / 'consumer', env=env)


def with_pkgconfig(work, prefix, env):
    flags = run('pkg-config', '--cflags', 'brine', env=env).replace('\\ ', ' ')
    if 'BOOST' in flags:
        raise Failed(f'brine.pc gives its private dependencies away: {flags}')
    folder = project('pkgconfig', work)
    run('make', '-C', folder, env=env)
    said = run(folder / 'consumer', env=env)
    return f'{said} ({(folder / "consumer").stat().st_size} bytes)'


def with_lean(work, prefix, env):
    """An engine links nothing of what only tools ask for: lib/inspect/."""
    flags = run('pkg-config', '--cflags', '--libs', 'brine', env=env).replace('\\ ', ' ')
    if not list(prefix.rglob('libbrine.a')): return 'a shared library is linked as a whole'
    words = flags.replace(str(prefix), '@').split()
    run('sh', '-c', f'$CXX -std=c++20 -O2 "$@" -Wl,--gc-sections,-Map={work / "map"}', 'sh', here / 'lean.cpp', '-o', work / 'lean',
        *(w.replace('@', str(prefix)) for w in words), env={'CXX': 'c++', **env})
    linked = set(re.findall(r'\((\w+\.cpp\.o)\)', (work / 'map').read_text()))
    tools = sorted(name for name in linked if name.startswith('inspect_'))
    if tools or not any(name.startswith('load_') for name in linked):
        raise Failed(f'{len(linked)} files of the library are linked, among them {", ".join(tools) or "none of load/"}')
    return run(work / 'lean', env=env) and f'{len(linked)} files of the library, none of inspect/'


def with_subproject(work, prefix, env):
    folder = project('meson-subproject', work)
    (folder / 'subprojects').mkdir()
    (folder / 'subprojects' / 'brine').symlink_to(source_root)
    # A parent gets the library only, and its own prefix stays clean.
    run('meson', 'setup', folder / 'out', folder, '--wrap-mode=forcefallback', env=env)
    plan = run('meson', 'introspect', '--install-plan', folder / 'out', env=env)
    if 'brine.hpp' in plan or 'brine.pc' in plan:
        raise Failed('as a subproject, brine installs itself with its parent')
    return 'configured'


def main():
    failed = 0
    with tempfile.TemporaryDirectory(prefix='brine-consumers-') as temporary:
        work = pathlib.Path(temporary)
        prefix = install(work)
        pkgconfig = next(prefix.rglob('brine.pc')).parent
        libraries = pkgconfig.parent  # for a shared build
        env = {**os.environ, 'PKG_CONFIG_PATH': str(pkgconfig), 'LD_LIBRARY_PATH': str(libraries)}
        for consumer, needs in ((with_meson, ['meson', 'ninja', 'pkg-config']), (with_cmake, ['cmake', 'ninja', 'pkg-config']),
                                (with_pkgconfig, ['make', 'pkg-config']), (with_lean, ['pkg-config']), (with_subproject, ['meson', 'ninja'])):
            name = consumer.__name__.removeprefix('with_')
            missing = [p for p in needs if shutil.which(p) is None]
            if missing:
                print(f'skipped: consumers/{name}: {", ".join(missing)} not found')
                continue
            try:
                print(f'{name}: {consumer(work, prefix, env)}')
            except Failed as why:
                failed += 1
                print(f'{name}: FAILED\n{why}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
