"""The schemas of this folder as validators; the tests of the server's real answers use them as well."""

import functools
import json
from pathlib import Path

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

FOLDER = Path(__file__).resolve().parent
SCHEMAS = {path.name: json.loads(path.read_text()) for path in sorted((FOLDER / "schemas").glob("*.schema.json"))}
_REGISTRY = Registry().with_resources((name, Resource.from_contents(schema)) for name, schema in SCHEMAS.items())


@functools.cache
def validator(reference):
    """For `name.schema.json`, or a part of it: `name.schema.json#/$defs/part`. Formats are annotations only."""
    return Draft202012Validator({"$ref": reference}, registry=_REGISTRY)


def faults(reference, value):
    """What is wrong with the value, in words; nothing when it is valid."""
    return [f"{error.json_path}: {error.message}"[:500] for error in validator(reference).iter_errors(value)]
