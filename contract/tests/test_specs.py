"""asyncapi.yaml and openapi.yaml are valid, refer to what is there, and leave out no message."""

import copy
import json
import re

import pytest
import yaml
from jsonschema import Draft7Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from validation import FOLDER, SCHEMAS, faults

ASYNCAPI = yaml.safe_load((FOLDER / "asyncapi.yaml").read_text())
OPENAPI = yaml.safe_load((FOLDER / "openapi.yaml").read_text())
OFFICIAL = json.loads((FOLDER / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0.json").read_text())


def asyncapi_faults(document):
    return [f"{error.json_path}: {error.message[:300]}" for error in Draft7Validator(OFFICIAL).iter_errors(document)]


def openapi_faults(document):
    base = (FOLDER / "openapi.yaml").as_uri()
    return [error.message[:300] for error in OpenAPIV31SpecValidator(document, base_uri=base).iter_errors()]


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def target(reference, document):
    path, _, pointer = reference.partition("#")
    value = SCHEMAS[path.removeprefix("schemas/")] if path else document
    for step in pointer.split("/")[1:]:
        value = value[step.replace("~1", "/").replace("~0", "~")]
    return value


def changed(document, path, value):
    document = copy.deepcopy(document)
    at = document
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return document


def test_the_asyncapi_document_is_valid():
    assert ASYNCAPI["asyncapi"] == "3.0.0"
    assert not asyncapi_faults(ASYNCAPI)


def test_the_openapi_document_is_valid():
    assert OPENAPI["openapi"].startswith("3.1.")
    assert not openapi_faults(OPENAPI)


@pytest.mark.parametrize(
    "path, value", [(["operations", "notify", "action"], "shout"), (["channels"], []), (["info"], {})]
)
def test_a_fault_of_the_asyncapi_document_would_be_found(path, value):
    assert asyncapi_faults(changed(ASYNCAPI, path, value))


@pytest.mark.parametrize(
    "path, value",
    [
        (["paths", "/v1/events", "post", "responses"], []),
        (["info"], {}),
        (["paths", "/v1/dead-letters", "get", "parameters", 0, "in"], "body"),
    ],
)
def test_a_fault_of_the_openapi_document_would_be_found(path, value):
    assert openapi_faults(changed(OPENAPI, path, value))


@pytest.mark.parametrize("name", ["asyncapi.yaml", "openapi.yaml", *SCHEMAS])
def test_every_reference_names_something(name):
    document = {"asyncapi.yaml": ASYNCAPI, "openapi.yaml": OPENAPI}.get(name) or SCHEMAS[name]
    for reference in references(document):
        assert target(reference, document) is not None, reference


def test_every_message_is_in_the_asyncapi_document():
    def parts(name):
        for each in SCHEMAS[name]["oneOf"]:
            path = each["$ref"].partition("#")
            yield from parts(path[0]) if path[0] else [f"schemas/{name}#{path[2]}"]

    told = [message["payload"]["schema"]["$ref"] for message in ASYNCAPI["components"]["messages"].values()]
    assert sorted(told) == sorted([*parts("server_message.schema.json"), *parts("client_message.schema.json")])
    used = [reference["$ref"] for operation in ASYNCAPI["operations"].values() for reference in operation["messages"]]
    assert sorted(used) == sorted(f"#/channels/stream/messages/{name}" for name in ASYNCAPI["components"]["messages"])


@pytest.mark.parametrize("name", ASYNCAPI["components"]["messages"])
def test_examples_are_valid(name):
    message = ASYNCAPI["components"]["messages"][name]
    reference = message["payload"]["schema"]["$ref"].removeprefix("schemas/")
    if reference.startswith("notification."):
        assert "examples" not in message  # they are in the vectors, because YAML would spoil their numbers
        return
    assert message["examples"]
    for example in message["examples"]:
        assert not faults(reference, example["payload"])


def test_every_call_says_what_it_needs():
    for path, methods in OPENAPI["paths"].items():
        for operation in methods.values():
            assert re.search(r"Needs the grant (publish|admin)", operation["description"]), path
            assert {"401", "403", "503"} <= set(operation["responses"]), path
