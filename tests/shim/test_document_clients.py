"""The document's own clients, section 6, taken from its text and changed only in host and paths.

They need the document itself, Python 2.7 for the one, a JDK with json-lib and Jackson for the
other (Debian: openjdk-17-jdk-headless libjson-java libjackson2-databind-java).
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from shim_client import APP_ID, APP_KEY
from shim_server import ROOT, Served

from shim.conformance import cases
from shim.conformance.builder import build
from shim.conformance.transport import over_socket

DOCUMENT = ROOT.parent / "shared" / "spec" / "bioauth-openapi-v2.0.txt"
JAVA = Path(__file__).parent / "java"
JARS = Path("/usr/share/java")
LIBRARIES = (
    *("json-lib", "ezmorph", "commons-beanutils", "commons-collections3", "commons-lang"),
    *("commons-logging", "jackson-core", "jackson-databind", "jackson-annotations"),
)
PATCH = "jdk.unsupported"  # the module that owns the package sun.misc
HOST = "192.168.100.26:81"
LIMIT_S = 60


def listing(first: str, last: str) -> str:
    """A sample's text: from a line to before another, with the page breaks taken out."""
    if not DOCUMENT.exists():
        pytest.skip(f"the document is not at {DOCUMENT}")
    text = DOCUMENT.read_text("utf-8")
    text = text[text.index(first) : text.index(last) if last else None]
    # Where a page ends inside a block, braces were added that close it.
    text = re.sub(r"(?:\s*\})+\s*```\s*```\n", "\n", text)
    return text.replace("```", "")


def python_2() -> str:
    found = Path.home().glob(".pyenv/versions/2.7*/bin/python2.7")
    for path in (shutil.which("python2.7"), *map(str, found)):
        if path and subprocess.run([path, "-V"], capture_output=True, check=False).returncode == 0:
            return path
    pytest.skip("there is no Python 2.7")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, selfie: bytes, party: bytes) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "selfie.jpg").write_bytes(selfie)
    (folder / "party.jpg").write_bytes(party)
    return folder


def test_the_python_sample(served: Served, pictures: Path, tmp_path: Path) -> None:
    text = listing("#coding=utf-8", "2. Java 调用样例")
    host = served.url.removeprefix("http://")
    (tmp_path / "sample.py").write_text(text.replace(HOST, host), "utf-8")
    pairs = [("selfie.jpg", "selfie.jpg"), ("selfie.jpg", "party.jpg")]
    lines = "\n".join(f"{pictures / first}\t{pictures / second}" for first, second in pairs)
    (tmp_path / "data.txt").write_text(lines)
    result = subprocess.run(
        [python_2(), "sample.py", "data.txt", "result.log"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    print(result.stdout)
    assert not result.stderr
    same, other = map(json.loads, result.stdout.splitlines())
    assert same["errorcode"] == other["errorcode"] == "0"
    assert float(same["similarity"]) > float(same["ref_thres"]) > float(other["similarity"])


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiles what tests/shim/java holds."""
    if not shutil.which("javac"):
        pytest.skip("there is no JDK")
    missing = [name for name in LIBRARIES if not (JARS / f"{name}.jar").exists()]
    if missing:
        pytest.skip(f"Java libraries are missing: {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("classes")
    encoder = JAVA / "sun" / "misc" / "BASE64Encoder.java"
    java("javac", "--patch-module", f"{PATCH}={JAVA}", "-d", folder / PATCH, encoder)
    others = [path for path in JAVA.rglob("*.java") if path != encoder]
    java("javac", "-cp", classpath(), "-d", folder, *others)
    return folder


def classpath(*more: Path) -> str:
    return ":".join([*(f"{JARS / name}.jar" for name in LIBRARIES), *map(str, more)])


def java(*arguments: object, text: str = "") -> str:
    result = subprocess.run(
        list(map(str, arguments)),
        input=text,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout + result.stderr


def run_sample(
    served: Served, picture: Path, compiled: Path, folder: Path, app_key: str, *line_ends: str
) -> list[str]:
    """Compile the document's listing and run it with each line end; returns what it prints."""
    text = listing("package com.paic", "")
    for old, new in (
        (HOST, served.url.removeprefix("http://")),
        (r"C:\\Image\\person3.jpg", str(picture)),
        (r"C:\\Image\\person4.jpg", str(picture)),
        (APP_KEY, app_key),
        # The listing leaves out where these two come from.
        (
            "import sun.misc.BASE64Encoder;",
            "import sun.misc.BASE64Encoder;\n"
            "import com.fasterxml.jackson.core.type.TypeReference;\n"
            "import com.fasterxml.jackson.databind.ObjectMapper;",
        ),
    ):
        assert old in text
        text = text.replace(old, new)
    source = folder / "testCompare.java"
    source.write_text(text, "utf-8")
    options = ["--patch-module", f"{PATCH}={compiled / PATCH}", "-cp", classpath(compiled, folder)]
    java("javac", "-encoding", "UTF-8", *options, "-d", folder, source)
    options += ["-Dfile.encoding=UTF-8", "-Dsun.stdout.encoding=UTF-8"]
    main = "com.paic.controller.test.testCompare"
    return [java("java", *options, f"-Dline.separator={end}", main) for end in line_ends]


def test_the_java_sample(served: Served, pictures: Path, compiled: Path, tmp_path: Path) -> None:
    unix, windows = "\n", "\r\n"  # what BASE64Encoder breaks its lines with
    picture = pictures / "selfie.jpg"
    for output in run_sample(served, picture, compiled, tmp_path, APP_KEY, unix, windows):
        print(output)
        assert re.search(r"相似度: (0\.99|1\.00)\d\d\d$", output, re.MULTILINE)


def test_the_java_sample_reads_a_failure(
    served: Served, pictures: Path, compiled: Path, tmp_path: Path
) -> None:
    (output,) = run_sample(served, pictures / "selfie.jpg", compiled, tmp_path, "wrong", "\n")
    print(output)
    assert "相似度: null" in output and "Exception" not in output


def test_a_strictly_typed_client_takes_every_reply(served: Served, compiled: Path) -> None:
    send = over_socket(served.url)
    lines = []
    for case in cases.load():
        if case.head.get("path", "PATH").startswith("PATH"):
            reply = send(build(case, APP_ID, APP_KEY)).body.decode()
            lines.append(f"{case.endpoint.name}\t{reply}\n")
    output = java("java", "-cp", classpath(compiled), "StrictClient", text="".join(lines))
    assert int(output) == len(lines) > 800
