"""Makes the calls of documented.txt by the aws command line's own code, all in one process: prints what it shows for
each, and at the end what is wrong with the answers by the model of the APIs that it carries.

The command line leaves out without a word what its model does not know, and turns text into whatever the model says. So
the XML itself is looked at: each element must be a member of the shape at its place, its text of that member's type, and
a text of few choices one of them.
"""

import contextlib
import io
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
from xml.etree import ElementTree

from awscli.clidriver import create_clidriver

ELEMENTS, WRONG, OPERATIONS = 0, [], set()
# What AWS's own examples show beside the choices of its model: the state of an attached gateway. (States of endpoints have
# small letters there, so letters are compared without their size.)
ALSO = {"available": "DescribeInternetGateways.internetGatewaySet[].attachmentSet[].state"}


def plain(tag):
    return tag.rsplit("}", 1)[-1]


def name_of(member, name, ec2):
    return member.serialization.get("name", name)


def check(element, shape, ec2, place):
    """Whether an element is what the shape says, with all that is in it."""
    global ELEMENTS
    ELEMENTS += 1
    children = list(element)
    if shape is None:
        if children or (element.text or "").strip():
            WRONG.append(f"{place}: nothing should stand here")
    elif shape.type_name == "structure":
        known = {name_of(member, name, ec2): member for name, member in shape.members.items()}
        for child in children:
            name = plain(child.tag)
            if name in known:
                check(child, known[name], ec2, f"{place}.{name}")
            elif not (place.count(".") == 0 and name in ("requestId", "return")):
                WRONG.append(f"{place}.{name}: the model has no such member")
        for name, count in ((c, [plain(x.tag) for x in children].count(c)) for c in {plain(x.tag) for x in children}):
            if count > 1:
                WRONG.append(f"{place}.{name}: {count} times")
    elif shape.type_name == "list":
        item = shape.member.serialization.get("name", "member")
        for child in children:
            if plain(child.tag) != item:
                WRONG.append(f"{place}: <{plain(child.tag)}> where <{item}> should be")
            check(child, shape.member, ec2, place + "[]")
    else:
        text = element.text or ""
        kinds = {"integer": r"-?\d+", "long": r"-?\d+", "boolean": "true|false", "double": r"[-\d.]+",
                 "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "string": r"[\s\S]*"}
        choices = getattr(shape, "enum", None)
        if children or not re.fullmatch(kinds.get(shape.type_name, r"[\s\S]*"), text):
            WRONG.append(f"{place}: {text!r} is no {shape.type_name}")
        elif choices and text.lower() not in [choice.lower() for choice in choices] and ALSO.get(text) != place:
            WRONG.append(f"{place}: {text!r} is none of {choices}")


def before_parse(operation_model, response_dict, **_):
    root = ElementTree.fromstring(response_dict["body"])
    ec2 = operation_model.metadata["protocol"] == "ec2"
    OPERATIONS.add(operation_model.name)
    place = operation_model.name
    if response_dict["status_code"] != 200:
        return
    if ec2:
        check(root, operation_model.output_shape or empty(operation_model), ec2, place)
        return
    for part in root:
        if plain(part.tag) == place + "Result":
            check(part, operation_model.output_shape, ec2, place)
        elif plain(part.tag) != "ResponseMetadata":
            WRONG.append(f"{place}: <{plain(part.tag)}> beside its result")


class empty:
    """An answer of EC2 without members of its own."""

    type_name, members = "structure", {}

    def __init__(self, _):
        pass


def take(answer, path):
    for name, index in re.findall(r"(\w+)|\[(\d+)\]", path):
        answer = answer[name] if name else answer[int(index)]
    return answer


def main():
    lines = (pathlib.Path(__file__).parent / "documented.txt").read_text().splitlines()
    for line in (line for line in lines if line and line[0] not in "# "):
        call, _, keep = line.partition(" => ")
        # the shell's own reading of variables and quotes
        words = subprocess.run(["bash", "-c", f"printf '%s\\0' {call}"], capture_output=True, text=True, check=True)
        driver = create_clidriver()
        driver.session.register("before-parse", before_parse)
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            code = driver.main(words.stdout.split("\0")[:-1] + ["--output", "json"])
        if code:
            sys.exit(f"{call}: {code}")
        shown = json.loads(said.getvalue() or "{}")
        print(json.dumps(shown))
        if keep:
            name, path = keep.split("=")
            os.environ[name] = take(shown, path)
    print(json.dumps({"operations": len(OPERATIONS), "elements": ELEMENTS, "wrong": WRONG}))


main()
