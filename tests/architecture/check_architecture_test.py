#!/usr/bin/env python3
"""Shows that check_architecture.py sees each kind of violation, on small trees made for it."""

import json
import tempfile
import unittest
from pathlib import Path

import check_architecture

ARCHITECTURE = """
## The house

| folder | one responsibility | may include |
|---|---|---|
| `src/base` | words | - |
| `src/log` | the log | base |
| `src/hub` | fan-out | base log(event_log.hpp) |
| `src/app` | main | all |

## What lives in one place

| what | only in |
|---|---|
| `<sqlite3.h>` | `src/log/*.cpp` |
| `<boost/` | `src/base/json.cpp` |
| `std::mutex` `sleep_for` | `src/log/*` |
"""
CMAKE = """
carillon_folder(base)
carillon_folder(log DEPENDS base LIBRARIES SQLite::SQLite3)
carillon_folder(hub DEPENDS base log)
carillon_folder(app DEPENDS base log hub)
"""
METRIC = 'auto& events = counter("carillon_events_total");\n'
GOOD = {
    "ARCHITECTURE.md": ARCHITECTURE,
    "CMakeLists.txt": CMAKE,
    "docs/operations.md": "| `carillon_events_total` | events |\n",
    "src/base/result.hpp": "#pragma once\n#include <vector>\n#include <sys/types.h>\n",
    "src/base/json.cpp": '#include "base/result.hpp"\n#include <boost/json.hpp>\n',
    "src/log/event_log.hpp": "#pragma once\n",
    "src/log/journal.hpp": '#pragma once\n#include "log/event_log.hpp"\n',
    "src/log/journal.cpp": '#include <sqlite3.h>\n#include "log/journal.hpp"\nstd::mutex lock;\n' + METRIC,
    "src/hub/hub.hpp": '#pragma once\n#include "base/result.hpp"\n#include "log/event_log.hpp"\n',
    "src/hub/hub_test.cpp": '#include "hub/hub.hpp"\n// std::mutex in words only\n',
    "src/app/main.cpp": '#include "hub/hub.hpp"\n#include "log/journal.hpp"\n',
}


class CheckArchitectureTest(unittest.TestCase):
    def violations(self, changes, built=None):
        """Of the good tree after `changes` (path -> text, or None to leave it out)."""
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            for path, text in {**GOOD, **changes}.items():
                if text is not None:
                    (root / path).parent.mkdir(parents=True, exist_ok=True)
                    (root / path).write_text(text)
            commands = None
            if built is not None:
                commands = root / "compile_commands.json"
                commands.write_text(json.dumps([{"directory": str(root), "file": path} for path in built]))
            rules = check_architecture.Checker(root, commands).rules()
            return [violation for rule in rules for violation in rule()]

    def expect(self, where, what, changes, built=None):
        found = self.violations(changes, built)
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(where + ": "), found[0])
        self.assertIn(what, found[0])

    def test_a_good_tree_has_no_violation(self):
        self.assertEqual(self.violations({}), [])
        self.assertEqual(self.violations({}, [path for path in GOOD if path.endswith(".cpp")]), [])

    def test_include_upwards(self):
        text = '#pragma once\n\n#include "hub/hub.hpp"\n'
        self.expect("src/log/journal.hpp:3", "log may not include hub", {"src/log/journal.hpp": text})

    def test_include_past_the_interface(self):
        text = '#pragma once\n#include "log/journal.hpp"\n'
        self.expect("src/hub/hub.hpp:2", "only event_log.hpp", {"src/hub/hub.hpp": text})
        self.assertEqual(self.violations({"src/hub/hub_test.cpp": '#include "log/journal.hpp"\n'}), [])

    def test_commented_include_is_none(self):
        text = '#pragma once\n// #include "hub/hub.hpp"\n/*\n#include "hub/hub.hpp"\n*/\n'
        self.assertEqual(self.violations({"src/log/journal.hpp": text}), [])

    def test_include_of_a_missing_header(self):
        text = '#pragma once\n#include "result.hpp"\n'
        self.expect("src/hub/hub.hpp:2", "no src/result.hpp", {"src/hub/hub.hpp": text})

    def test_own_header_in_angle_brackets(self):
        found = self.violations({"src/hub/hub.hpp": "#pragma once\n#include <base/result.hpp>\n"})
        self.assertIn("src/hub/hub.hpp:2: own header base/result.hpp in <>, write it in quotes", found)

    def test_third_party_outside_its_home(self):
        self.expect("src/hub/hub.cpp:1", "belongs to src/log/*.cpp", {"src/hub/hub.cpp": "#include <sqlite3.h>\n"})
        text = "#pragma once\n#include <sqlite3.h>\n"
        self.expect("src/log/journal.hpp:2", "belongs to src/log/*.cpp", {"src/log/journal.hpp": text})

    def test_third_party_without_a_home(self):
        self.expect("src/hub/hub.cpp:1", "no home", {"src/hub/hub.cpp": "#include <zlib.h>\n"})

    def test_lock_and_sleep_outside_their_home(self):
        self.expect("src/hub/hub.cpp:2", "std::mutex", {"src/hub/hub.cpp": "\nstd::mutex lock;\n"})
        text = "void nap() { std::this_thread::sleep_for(1s); }\n"
        self.expect("src/hub/hub.cpp:1", "sleep_for", {"src/hub/hub.cpp": text})

    def test_what_only_belongs_to_a_word_is_not_the_word(self):
        text = "std::mutex::native_handle_type handle;\nstd::mutexes own;\n"
        self.assertEqual(self.violations({"src/hub/hub.cpp": text}), [])

    def test_words_in_comments_and_strings_do_not_count(self):
        text = '// std::mutex\nconst char* kText = "std::mutex \\" std::mutex";\n/* std::mutex */ auto r = R"(std::mutex)";\n'
        self.assertEqual(self.violations({"src/hub/hub.cpp": text}), [])

    def test_sleeping_test(self):
        self.expect("src/log/log_test.cpp:2", "sleeps", {"src/log/log_test.cpp": "\n  usleep(5);\n"})

    def test_folder_without_row_and_row_without_folder(self):
        self.expect("ARCHITECTURE.md:6", "src/extra has no row", {"src/extra/thing.hpp": "#pragma once\n"})
        gone = {path: None for path in GOOD if path.startswith("src/app/")}
        self.expect("ARCHITECTURE.md:6", "src/app is in the table", gone)

    def test_circle_in_the_table(self):
        changes = {
            "ARCHITECTURE.md": ARCHITECTURE.replace("| words | - |", "| words | log |"),
            "CMakeLists.txt": CMAKE.replace("(base)", "(base DEPENDS log)"),
        }
        self.expect("ARCHITECTURE.md:6", "include each other: app base hub log", changes)

    def test_linking_otherwise_than_the_table(self):
        text = CMAKE.replace("(hub DEPENDS base log)", "(hub DEPENDS base)")
        self.expect("CMakeLists.txt:4", "hub is linked otherwise", {"CMakeLists.txt": text})

    def test_file_names(self):
        self.expect("src/hub/hub_utils.hpp:1", "noun inside", {"src/hub/hub_utils.hpp": "#pragma once\n"})
        self.expect("src/hub/HubThing.hpp:1", "snake_case", {"src/hub/HubThing.hpp": "#pragma once\n"})
        self.expect("src/hub/notes.txt:1", ".hpp and .cpp only", {"src/hub/notes.txt": ""})
        self.expect("src/hub/deep/thing.hpp:1", "directly in", {"src/hub/deep/thing.hpp": "#pragma once\n"})

    def test_header_without_guard(self):
        self.expect("src/hub/hub.hpp:1", "pragma once", {"src/hub/hub.hpp": "struct Hub {};\n"})

    def test_metric_without_a_line_and_line_without_a_metric(self):
        text = '\nauto& lost = counter("carillon_lost_total");\n'
        self.expect("src/hub/hub.cpp:2", "not in docs/operations.md", {"src/hub/hub.cpp": text})
        self.expect("docs/operations.md:1", "carillon_old_total", {"docs/operations.md": "`carillon_events_total` `carillon_old_total`"})

    def test_test_that_no_target_takes(self):
        self.expect("tests/odd/odd_test.cpp:1", "no target takes", {"tests/odd/odd_test.cpp": ""})

    def test_source_that_is_not_built(self):
        built = [path for path in GOOD if path.endswith(".cpp") and not path.endswith("_test.cpp")]
        self.expect("src/hub/hub_test.cpp:1", "in no target", {}, built)


if __name__ == "__main__":
    unittest.main()
