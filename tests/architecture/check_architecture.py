#!/usr/bin/env python3
"""Holds the source to ARCHITECTURE.md: the tables of that document are read, not repeated here.

    check_architecture.py [--root DIR] [--compile-commands FILE]

Prints one line per violation (file:line: what), then `N passed, N failed` counting rules, and exits 1 on any violation.
With --compile-commands every source file must also be in the build that FILE describes.
"""

import argparse
import fnmatch
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

# Headers that come with the compiler, the C library and the kernel; everything else in <> is a third party.
SYSTEM_HEADER = re.compile(
    r"[a-z_0-9]+"  # the C++ library: <vector>
    r"|(sys|netinet|arpa|linux|net)/[a-z_0-9]+\.h"
    r"|(stdlib|stdio|malloc|string|strings|math|unistd|fcntl|signal|poll|pthread|netdb|termios|dirent|getopt|pwd|grp|time|errno|limits|sched|ifaddrs)\.h"
    r"|(emmintrin|immintrin|x86intrin|arm_neon)\.h"
    r"|sanitizer/[a-z_]+\.h"
)
FILE_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\.(hpp|cpp)")
EMPTY_NAME = re.compile(r"(^|_)(utils?|helpers?|common|managers?|impl|misc)(_|\.)")
INCLUDE = re.compile(r'\s*#\s*include\s*(<[^>]+>|"[^"]+")')
TEST_FOLDERS = ("tests/brokers", "tests/conformance", "tests/integration", "tests/campaign", "bench/load",
                "bench/fanout")


@dataclass
class Document:
    """What ARCHITECTURE.md allows."""

    folders: dict = field(default_factory=dict)  # folder -> {folder it may include: headers, or None for all of them}
    homes: list = field(default_factory=list)  # (pattern as written, path globs) of "What lives in one place"
    table_line: int = 0


@dataclass
class Source:
    path: str  # relative to the root, with /
    text: str  # comments and literals blanked out, lines kept
    includes: list  # (line, header, is_quoted)

    @property
    def folder(self):
        return self.path.split("/")[1]

    @property
    def name(self):
        return self.path.rsplit("/", 1)[1]


def table_rows(lines, heading):
    """Cells of the first table below the heading, as (line number, [cell, ...])."""
    start = next((i for i, line in enumerate(lines) if line.strip() == heading), None)
    if start is None:
        sys.exit(f"ARCHITECTURE.md: no heading '{heading}'")
    rows = []
    for i, line in enumerate(lines[start + 1 :], start + 2):
        if line.startswith("|"):
            rows.append((i, [cell.strip() for cell in line.strip().strip("|").split("|")]))
        elif rows:
            break
    return rows[2:]


def read_document(root):
    lines = (root / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()
    document = Document()
    house = table_rows(lines, "## The house")
    names = [cells[0].strip("`").removeprefix("src/") for _, cells in house]
    for (line, cells), name in zip(house, names):
        document.table_line = document.table_line or line
        document.folders[name] = parse_allowed(cells[2], names)
    for _, cells in table_rows(lines, "## What lives in one place"):
        globs = re.findall(r"`([^`]+)`", cells[1])
        document.homes += [(pattern, globs) for pattern in re.findall(r"`([^`]+)`", cells[0])]
    return document


def parse_allowed(cell, names):
    """`base eventlog(event_log.hpp)`: all of base, one header of eventlog. `all`: every folder. `-`: none."""
    if cell == "all":
        return {name: None for name in names}
    allowed = {}
    for folder, headers in re.findall(r"([a-z]+)(?:\(([^)]*)\))?", cell):
        allowed[folder] = headers.split() if headers else None
    return allowed


def blank_comments_and_literals(text):
    """Spaces instead of comments, strings and characters, so that words are found in code only. Keeps line numbers."""
    pattern = re.compile(
        r'R"([^(\s]*)\(.*?\)\1"'  # raw string
        r'|"(?:\\.|[^"\\\n])*"'
        r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'"  # a character, not the digit separator of 1'000
        r"|//[^\n]*|/\*.*?\*/",
        re.DOTALL,
    )
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def without_comments(text):
    pattern = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
    return pattern.sub(lambda m: m.group() if m.group()[0] == '"' else re.sub(r"[^\n]", " ", m.group()), text)


def read_source(root, path):
    raw = path.read_text(encoding="utf-8", errors="replace")
    includes = []
    for number, line in enumerate(without_comments(raw).splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            includes.append((number, found.group(1)[1:-1], found.group(1)[0] == '"'))
    return Source(path.relative_to(root).as_posix(), blank_comments_and_literals(raw), includes)


def matches(path, globs):
    return any(fnmatch.fnmatchcase(path, glob) for glob in globs)


class Checker:
    def __init__(self, root, compile_commands=None):
        self.root = root
        self.compile_commands = compile_commands
        self.document = read_document(root)
        paths = [p for p in sorted((root / "src").rglob("*")) if p.is_file()]
        self.other_files = [p.relative_to(root).as_posix() for p in paths if p.suffix not in (".hpp", ".cpp")]
        self.sources = [read_source(root, p) for p in paths if p.suffix in (".hpp", ".cpp")]

    # Each rule yields its violations as "file:line: what".

    def rule_folders_and_table_are_the_same(self):
        """Every folder of src has a row in ARCHITECTURE.md, and every row a folder."""
        here = {p.name for p in (self.root / "src").iterdir() if p.is_dir()}
        for name in sorted(here ^ set(self.document.folders)):
            missing = "has no row in the house table" if name in here else "is in the table and not in src"
            yield f"ARCHITECTURE.md:{self.document.table_line}: src/{name} {missing}"

    def rule_table_has_no_circle(self):
        """Folders depend downwards: taking away folders whose includes are gone empties the table."""
        left = {name: set(allowed) - {name} for name, allowed in self.document.folders.items()}
        while ready := [name for name, allowed in left.items() if not allowed & set(left)]:
            for name in ready:
                del left[name]
        if left:
            yield f"ARCHITECTURE.md:{self.document.table_line}: these folders include each other: {' '.join(sorted(left))}"

    def rule_linking_follows_the_table(self):
        """carillon_folder(x DEPENDS ...) in CMakeLists.txt names what the table allows x."""
        text = (self.root / "CMakeLists.txt").read_text(encoding="utf-8")
        linked = {}
        for found in re.finditer(r"^carillon_folder\((\w+)(?:\s+DEPENDS\s+([a-z_\s]+?))?(?:\s+LIBRARIES[^)]*)?\)", text, re.M):
            line = text.count("\n", 0, found.start()) + 1
            linked[found.group(1)] = (line, set((found.group(2) or "").split()))
        for name, allowed in self.document.folders.items():
            line, depends = linked.get(name, (1, None))
            if depends is None:
                yield f"CMakeLists.txt:{line}: no carillon_folder({name})"
            elif depends != set(allowed) - {name}:
                odd = " ".join(sorted(depends ^ (set(allowed) - {name})))
                yield f"CMakeLists.txt:{line}: {name} is linked otherwise than ARCHITECTURE.md says: {odd}"

    def rule_includes_follow_the_table(self):
        """A file includes its own folder and what its row allows; a test all of the folders named there."""
        for source in self.sources:
            allowed = self.document.folders.get(source.folder, {})
            for line, header, is_quoted in source.includes:
                folder, _, name = header.partition("/")
                if not is_quoted or folder == source.folder or folder not in self.document.folders:
                    continue
                if folder not in allowed:
                    yield f"{source.path}:{line}: {source.folder} may not include {folder} (ARCHITECTURE.md, the house)"
                elif allowed[folder] and name not in allowed[folder] and not source.name.endswith("_test.cpp"):
                    only = " ".join(allowed[folder])
                    yield f"{source.path}:{line}: {source.folder} may include of {folder} only {only}"

    def rule_own_headers_are_named_from_src(self):
        """Own headers: "folder/name.hpp", in quotes, and they exist. Foreign ones: in <>."""
        for source in self.sources:
            for line, header, is_quoted in source.includes:
                exists = (self.root / "src" / header).is_file()
                if is_quoted and not exists:
                    yield f'{source.path}:{line}: no src/{header}; write "folder/name.hpp", foreign headers in <>'
                elif not is_quoted and exists:
                    yield f"{source.path}:{line}: own header {header} in <>, write it in quotes"

    def rule_third_parties_have_homes(self):
        """A foreign header is in the table of homes and stays there."""
        prefixes = [(p[1:].rstrip(">"), globs) for p, globs in self.document.homes if p.startswith("<")]
        for source in self.sources:
            for line, header, is_quoted in source.includes:
                if is_quoted or SYSTEM_HEADER.fullmatch(header):
                    continue
                globs = next((globs for prefix, globs in prefixes if header.startswith(prefix)), None)
                if globs is None:
                    yield f"{source.path}:{line}: <{header}> has no home in ARCHITECTURE.md"
                elif not matches(source.path, globs):
                    yield f"{source.path}:{line}: <{header}> belongs to {' '.join(globs)}"

    def rule_words_have_homes(self):
        """Threads, locks and sleeps stay where the table of homes puts them. Test files may start threads."""
        words = [(w, globs) for w, globs in self.document.homes if not w.startswith("<")]
        for source in self.sources:
            if source.name.endswith("_test.cpp"):
                continue
            for word, globs in words:
                if matches(source.path, globs):
                    continue
                for found in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w|::)", source.text):
                    line = source.text.count("\n", 0, found.start()) + 1
                    yield f"{source.path}:{line}: {word} belongs to {' '.join(globs)}"

    def rule_tests_do_not_sleep(self):
        """A test moves the clock or waits for what it wants; it never waits for time to pass."""
        for source in self.sources + self.test_sources():
            if not source.name.endswith("_test.cpp"):
                continue
            for found in re.finditer(r"\b(sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\(", source.text):
                line = source.text.count("\n", 0, found.start()) + 1
                yield f"{source.path}:{line}: a test that sleeps"

    def rule_files_are_well_named(self):
        """snake_case after the idea inside, directly in the folder, and no name that says nothing."""
        for path in self.other_files:
            yield f"{path}:1: src holds .hpp and .cpp only"
        for source in self.sources:
            if source.path.count("/") != 2:
                yield f"{source.path}:1: source lies directly in src/FOLDER"
            if not FILE_NAME.fullmatch(source.name):
                yield f"{source.path}:1: not a snake_case name"
            if EMPTY_NAME.search(source.name):
                yield f"{source.path}:1: name the file by the noun inside"

    def rule_headers_are_guarded(self):
        """Each header starts with #pragma once."""
        for source in self.sources:
            if source.name.endswith(".hpp") and not re.match(r"\s*#pragma once\b", source.text):
                yield f"{source.path}:1: no #pragma once at the top"

    def rule_metrics_are_documented(self):
        """docs/operations.md lists every metric, and no other."""
        path = self.root / "docs/operations.md"
        listed = set(re.findall(r"`(carillon_[a-z_]+)`", path.read_text(encoding="utf-8")))
        known = set()
        for source in self.sources:
            if source.name.endswith("_test.cpp"):
                continue
            raw = (self.root / source.path).read_text(encoding="utf-8")
            for found in re.finditer(r'"(carillon_[a-z_]+)"', raw):
                known.add(found.group(1))
                if found.group(1) not in listed:
                    line = raw.count("\n", 0, found.start()) + 1
                    yield f"{source.path}:{line}: {found.group(1)} is not in docs/operations.md"
        for name in sorted(listed - known):
            yield f"docs/operations.md:1: {name} is in no source"

    def rule_tests_are_built(self):
        """A test file lies where CMake looks for it, and a source file is in the build."""
        stray = [s for s in self.test_sources() if s.path.rsplit("/", 1)[0] not in TEST_FOLDERS]
        for source in stray:
            yield f"{source.path}:1: no target takes tests from here, only from src/FOLDER, {', '.join(TEST_FOLDERS)}"
        if self.compile_commands is None:
            return
        built = {str(Path(c["directory"], c["file"]).resolve()) for c in json.loads(self.compile_commands.read_text())}
        for source in self.sources + self.test_sources():
            if source.name.endswith(".cpp") and str((self.root / source.path).resolve()) not in built:
                yield f"{source.path}:1: in no target of {self.compile_commands}"

    def test_sources(self):
        folders = [self.root / "tests", self.root / "bench"]
        return [read_source(self.root, p) for folder in folders for p in sorted(folder.rglob("*_test.cpp"))]

    def rules(self):
        return [getattr(self, name) for name in vars(type(self)) if name.startswith("rule_")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--compile-commands", type=Path)
    arguments = parser.parse_args()
    passed = failed = 0
    for rule in Checker(arguments.root.resolve(), arguments.compile_commands).rules():
        violations = list(rule())
        for violation in violations:
            print(violation)
        if violations:
            print(f"FAILED {rule.__name__.removeprefix('rule_')}")
        passed, failed = (passed, failed + 1) if violations else (passed + 1, failed)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
