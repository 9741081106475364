#!/usr/bin/env python3
"""Runs clang-tidy over the sources of a build, tests and benches left out: tidy.py COMPILE_COMMANDS CACHE_DIR

A file that was clean is not looked at again until it, one of our headers it includes, its compile command, .clang-tidy or
the tool changes. Precompiled headers are left out of the commands, so that a file that does not include what it uses is
found, too. Prints what clang-tidy found, then `N passed, N failed` counting files.
"""

import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOL = "clang-tidy-19"
PRECOMPILED = re.compile(r"-Xclang -include(?:-pch)? -Xclang \S+ |-Winvalid-pch ")


@cache
def own_includes(path):
    names = re.findall(r'^\s*#\s*include\s*"([^"]+)"', path.read_text(encoding="utf-8", errors="replace"), re.M)
    found = [base / name for name in names for base in (ROOT / "src", ROOT, path.parent) if (base / name).is_file()]
    return [header.resolve() for header in found]


def with_headers(path):
    seen, left = set(), [path]
    while left:
        here = left.pop()
        if here not in seen:
            seen.add(here)
            left += own_includes(here)
    return sorted(seen)


def content_key(command, tool_version):
    digest = hashlib.sha256()
    for text in (tool_version, command.get("command", ""), (ROOT / ".clang-tidy").read_text()):
        digest.update(text.encode() + b"\0")
    for path in with_headers(Path(command["directory"], command["file"]).resolve()):
        digest.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def tidy(command, cache_dir, tool_version):
    """What clang-tidy says of one file, or nothing when it is clean."""
    mark = cache_dir / content_key(command, tool_version)
    if mark.exists():
        return None
    done = subprocess.run(
        [TOOL, "-p", str(cache_dir), "--quiet", command["file"]],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL,
    )
    if done.returncode == 0:
        mark.touch()
        return None
    return done.stdout


def is_product(path):
    return path.is_relative_to(ROOT / "src") and not path.name.endswith("_test.cpp")


def main():
    cache_dir = Path(sys.argv[2]).resolve()
    cache_dir.mkdir(parents=True, exist_ok=True)
    tool_version = subprocess.run([TOOL, "--version"], capture_output=True, text=True, check=True).stdout
    commands = [{**c, "command": PRECOMPILED.sub("", c["command"])}
                for c in json.loads(Path(sys.argv[1]).read_text()) if is_product(Path(c["file"]))]
    (cache_dir / "compile_commands.json").write_text(json.dumps(commands))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda c: tidy(c, cache_dir, tool_version), commands)
        for command, said in zip(commands, results):
            if said is not None:
                failed += 1
                print(f"{said}\nFAILED {Path(command['file']).relative_to(ROOT)}", flush=True)
    print(f"{len(commands) - failed} passed, {failed} failed")
    return 1 if failed or not commands else 0


if __name__ == "__main__":
    sys.exit(main())
