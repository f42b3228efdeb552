"""Key pairs that are added: shown once, or taken over from standard input."""

import signal
import subprocess
from pathlib import Path

import pytest
from conftest import Start
from shim_client import Client
from shim_server import command, environment, keys_file, wait_for


def take_over(path: Path, *app_id: str, given: bytes) -> "subprocess.CompletedProcess[bytes]":
    add = command("keys", "add", *app_id, "--key-stdin")
    return subprocess.run(
        add, env=environment(keys=path), input=given, capture_output=True, check=False
    )


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
@pytest.mark.parametrize("app_id", ["", "mine --key-stdin"])
def test_a_pair_that_cannot_be_shown_is_not_added(
    tmp_path: Path, redirection: str, app_id: str
) -> None:
    path = keys_file(tmp_path)
    before = path.read_text()
    add = ["sh", "-c", f'exec "$@" {redirection}', "-", *command("keys", "add", *app_id.split())]
    result = subprocess.run(
        add, env=environment(keys=path), input="key\n", capture_output=True, text=True, check=False
    )
    sentence = "Nothing was added: standard output, where it is to be read, cannot be written ("
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(sentence) and result.stderr.count("\n") == 1
    assert path.read_text() == before


def test_a_key_that_clients_have_already(start: Start, tmp_path: Path) -> None:
    path = keys_file(tmp_path, "[keys]\n")
    served = start(keys=path)
    warning = "there are no key pairs in the keys file: every request will be refused"
    assert warning in served.log.read_text()
    client = Client(served.url, "cloud", 'their "old" key')
    assert client.post("detect")[::2] == (
        401,
        {"errorcode": "5", "errormsg": "signature verification failed"},
    )
    taken = take_over(path, "cloud", given=b'\xef\xbb\xbf their "old" key\r\nanother line\n')
    assert (taken.returncode, taken.stdout) == (0, b"cloud\n")
    assert b"old" not in taken.stderr
    served.process.send_signal(signal.SIGHUP)
    wait_for(served.log, "keys read again")
    assert client.post("detect")[2]["errorcode"] == "2"  # its signature holds
    assert served.log.read_text().count(warning) == 1


@pytest.mark.parametrize(
    ("app_id", "given", "sentence"),
    [
        (["cloud"], b"", "The key is empty."),
        (["cloud"], b" \nkey\n", "The key is empty."),
        (["cloud"], b"\xff", "The key on standard input is not UTF-8."),
        ([""], b"key", 'An app id has 1 to 64 letters, digits, "-" and "_".'),
        ([], b"key", "Whose key? Give the app id: keys add APP_ID --key-stdin"),
        (["shop"], b"key", "shop has a key already. Revoke it first to give it a new one."),
    ],
)
def test_a_key_that_cannot_be_taken_over(
    tmp_path: Path, app_id: list[str], given: bytes, sentence: str
) -> None:
    path = keys_file(tmp_path)
    before = path.read_text()
    result = take_over(path, *app_id, given=given)
    assert (result.returncode, result.stdout) == (1, b"")
    assert result.stderr.decode() == f"{sentence}\n"
    assert path.read_text() == before


@pytest.mark.parametrize("redirection", ["<&-", "0>/dev/null"])
def test_a_key_from_an_input_that_cannot_be_read(tmp_path: Path, redirection: str) -> None:
    path = keys_file(tmp_path)
    add = ["sh", "-c", f'exec "$@" {redirection}', "-", *command("keys", "add", "x", "--key-stdin")]
    result = subprocess.run(
        add, env=environment(keys=path), capture_output=True, text=True, check=False
    )
    sentence = "Standard input, where the key is to come from, cannot be read.\n"
    assert (result.returncode, result.stdout, result.stderr) == (1, "", sentence)
