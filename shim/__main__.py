"""python -m shim: serve, or look after the key pairs."""

import argparse
import logging
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from shim.address import is_loopback
from shim.keys import DEMO, KeyStore
from shim.keysfile import KeysError, add, load, revoke
from shim.settings import Settings, SettingsError, keys_file, unknown
from shim.terminal import say

_log = logging.getLogger("shim")


def main() -> int:
    """Returns the exit status: 0, 1 with a sentence on stderr that says what to do, or 130 when
    interrupted over the keys."""
    arguments = _parser().parse_args()
    try:
        if arguments.command == "keys":
            return _keys(arguments)
        return _serve(arguments)
    except (KeysError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m shim",
        description='Serve the "Bioauth OpenAPI V2.0" from this machine. '
        "Settings are environment variables named BIOAUTH_*; see the README.",
    )
    parser.add_argument("--host", help="address to serve on, instead of BIOAUTH_HOST")
    parser.add_argument("--port", type=int, help="port, 0 for a free one, instead of BIOAUTH_PORT")
    parser.add_argument(
        "--demo",
        action="store_true",
        help="use the document's sample key pair, which everybody knows; loopback only",
    )
    commands = parser.add_subparsers(dest="command", metavar="[keys]")
    keys = commands.add_parser("keys", help="add, list or revoke key pairs")
    actions = keys.add_subparsers(dest="action", required=True)
    for action, text in (
        ("add", "add a key pair; a key that is made is printed now and never again"),
        ("list", "print the app ids, without their keys"),
        ("revoke", "remove a key pair"),
    ):
        command = actions.add_parser(action, help=text, description=text)
        command.add_argument("--file", type=Path, help="keys file, instead of BIOAUTH_KEYS")
        if action != "list":
            command.add_argument("app_id", nargs="?" if action == "add" else None)
        if action == "add":
            command.add_argument(
                "--key-stdin",
                action="store_true",
                help="take the key that clients have already from a line of standard input",
            )
    return parser


def _keys(arguments: argparse.Namespace) -> int:
    path = arguments.file or keys_file()
    if path is None:
        raise KeysError("Which file? Set BIOAUTH_KEYS or give --file.")
    if arguments.action == "list":
        return _list(path)
    note = "A running server takes this over on SIGHUP."
    if arguments.action == "revoke":
        revoke(path, arguments.app_id)
    else:
        _add(path, arguments.app_id, arguments.key_stdin)
        if len(load(path, managing=True)) == 1:
            note = f"Start with it: BIOAUTH_KEYS={path} python -m shim"
    print(note, file=sys.stderr)
    return 0


def _list(path: Path) -> int:
    for app_id in load(path, managing=True):
        try:
            say(app_id)
        except BrokenPipeError:  # whoever reads has enough
            break
        except OSError as error:
            raise KeysError(f"Standard output cannot be written ({error.strerror}).") from None
    return 0


def _add(path: Path, app_id: str | None, key_from_stdin: bool) -> None:
    if not key_from_stdin:
        _show(path, *add(path, app_id))
        return
    if app_id is None:
        raise KeysError("Whose key? Give the app id: keys add APP_ID --key-stdin")
    try:
        app_key = sys.stdin.buffer.readline().decode("utf-8-sig").strip()
    except (AttributeError, OSError):  # Python has none when it is closed
        raise KeysError("Standard input, where the key is to come from, cannot be read.") from None
    except UnicodeDecodeError:
        raise KeysError("The key on standard input is not UTF-8.") from None
    add(path, app_id, app_key)
    _show(path, app_id)


def _show(path: Path, app_id: str, *app_key: str) -> None:
    """Print what was added: it is shown this once, or it is taken back."""
    try:
        say(" ".join((app_id, *app_key)))
    except OSError as error:
        revoke(path, app_id)
        raise KeysError(
            f"Nothing was added: standard output, where it is to be read, cannot be written "
            f"({error.strerror or error})."
        ) from None


def _serve(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    keys = _open_keys(settings, arguments.demo)
    from shim.observability import log_to_stderr  # late: `keys` needs none of its packages

    log_to_stderr()
    if not arguments.demo:  # a demonstration ends with its terminal
        _reload_on_sighup(keys)  # early: until there is a handler the signal ends the process
    elif settings.keys is not None:
        _log.warning("demo mode: the key pairs of BIOAUTH_KEYS are not used")
    _warn_of_none(keys)
    for name in unknown():
        _log.warning(
            "%s is ignored: it is no setting (a typing error?), or Kubernetes set it for a service",
            name,
        )
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # read at import; it is not our format
    # Late, so that wrong settings are told at once and `keys` loads no networks.
    from engine import EngineError
    from shim.run import run

    try:
        return run(settings, keys, arguments.demo)
    except (EngineError, OSError) as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:  # before there was anything to stop
        pass
    return 1


def _settings(arguments: argparse.Namespace) -> Settings:
    """Those of the environment, and what the command line has instead."""
    settings = Settings.from_environment()
    if arguments.host is not None:
        settings = replace(settings, host=arguments.host)
    if arguments.port is not None:
        if not 0 <= arguments.port <= 65535:
            raise SettingsError("--port must be a whole number from 0 to 65535.")
        settings = replace(settings, port=arguments.port)
    if settings.shares_a_port:
        raise SettingsError(f"BIOAUTH_OPS_PORT must be another port than {settings.port}.")
    return settings


def _open_keys(settings: Settings, demo: bool) -> KeyStore:
    if demo:
        if not is_loopback(settings.host):
            raise SettingsError(
                f"--demo uses a key pair that everybody knows, so it serves on loopback only, "
                f"not on {settings.host}. Make a key pair: python -m shim keys add --file keys.toml"
            )
        return KeyStore(DEMO)
    if settings.keys is None:
        raise KeysError(
            "No key pairs. Make one with: python -m shim keys add --file keys.toml, and start with "
            "BIOAUTH_KEYS=keys.toml. To try it out: python -m shim --demo"
        )
    return KeyStore.open(settings.keys)


def _reload_on_sighup(keys: KeyStore) -> None:
    def reload(*_: object) -> None:
        try:
            keys.reload()
        except KeysError as error:
            # The error comes last: it may end in a command, which somebody copies.
            _log.error("The old keys stay in force: %s", error)
        else:
            _log.info("keys read again", extra={"fields": {"keys": len(keys)}})
            _warn_of_none(keys)

    signal.signal(signal.SIGHUP, reload)


def _warn_of_none(keys: KeyStore) -> None:
    if not len(keys):
        _log.warning("there are no key pairs in the keys file: every request will be refused")


if __name__ == "__main__":
    sys.exit(main())
