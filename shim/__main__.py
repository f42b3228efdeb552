"""python -m shim: serve, or look after the key pairs."""

import argparse
import ipaddress
import logging
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from shim.keys import DEMO, KeysError, KeyStore, add, load, revoke
from shim.observability import log_to_stderr
from shim.settings import Settings, SettingsError, unknown

_log = logging.getLogger("shim")


def main() -> int:
    """Returns the exit status: 0, or 1 with a sentence on stderr that says what to do."""
    arguments = _parser().parse_args()
    try:
        if arguments.command == "keys":
            return _keys(arguments)
        return _serve(arguments)
    except (KeysError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1


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
    commands = parser.add_subparsers(dest="command", metavar="keys")
    keys = commands.add_parser("keys", help="add, list or revoke key pairs")
    actions = keys.add_subparsers(dest="action", required=True)
    for action, text in (
        ("add", "make a key pair; the key is printed now and never again"),
        ("list", "print the app ids, without their keys"),
        ("revoke", "remove a key pair"),
    ):
        command = actions.add_parser(action, help=text, description=text)
        command.add_argument("--file", type=Path, help="keys file, instead of BIOAUTH_KEYS")
        if action != "list":
            command.add_argument("app_id", nargs="?" if action == "add" else None)
    return parser


def _keys(arguments: argparse.Namespace) -> int:
    path = arguments.file or Settings.from_environment().keys
    if path is None:
        raise KeysError("Which file? Set BIOAUTH_KEYS or give --file.")
    if arguments.action == "list":
        print("\n".join(load(path)))
        return 0
    if arguments.action == "add":
        print(*add(path, arguments.app_id))
    else:
        revoke(path, arguments.app_id)
    print("A running server takes this over on SIGHUP.", file=sys.stderr)
    return 0


def _serve(arguments: argparse.Namespace) -> int:
    settings = Settings.from_environment()
    if arguments.host is not None:
        settings = replace(settings, host=arguments.host)
    if arguments.port is not None:
        if not 0 <= arguments.port <= 65535:
            raise SettingsError("--port must be a whole number from 0 to 65535.")
        settings = replace(settings, port=arguments.port)
    keys = _open_keys(settings, arguments.demo)
    log_to_stderr()
    if not arguments.demo:  # a demonstration ends with its terminal
        _reload_on_sighup(keys)  # early: until there is a handler the signal ends the process
    for name in unknown():
        _log.warning("%s does nothing: it is no setting, or the link to a service", name)
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # read at import; it is not our format
    # Late, so that wrong settings are told at once and `keys` loads no networks.
    from engine import EngineError
    from shim.run import run

    try:
        return run(settings, keys)
    except EngineError as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:  # before there was anything to stop
        pass
    except OSError as error:
        where = f"{settings.host}:{settings.port} or {settings.ops_host}"
        print(f"Cannot serve on {where}:{settings.effective_ops_port}: {error}", file=sys.stderr)
    return 1


def _open_keys(settings: Settings, demo: bool) -> KeyStore:
    if demo:
        if not _is_loopback(settings.host):
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
            _log.error("%s The old keys stay in force.", error)
        else:
            _log.info("keys read again", extra={"fields": {"keys": len(keys)}})

    signal.signal(signal.SIGHUP, reload)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


if __name__ == "__main__":
    sys.exit(main())
