"""The address that a host's name stands for."""

import errno
import ipaddress
import socket
from contextlib import suppress


def numeric(host: str) -> str:
    """The address to listen on.

    Of several, the first IPv4 one: "localhost" is often ::1 too, and clients use 127.0.0.1.
    Raises OSError for what is no address.
    """
    with suppress(ValueError):
        ipaddress.ip_address(host)
        return host
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OSError(errno.EADDRNOTAVAIL, f"{host} is no address") from error
    return str(min(found, key=lambda entry: entry[0] != socket.AF_INET)[4][0])


def is_loopback(host: str) -> bool:
    """Whether it is this machine to itself, by its name or address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def overlap(one: str, other: str) -> bool:
    """Whether two hosts cannot have the same port. Who has no address is in nobody's way."""
    try:
        a, b = (ipaddress.ip_address(numeric(host)) for host in (one, other))
    except OSError:
        return False
    return a == b or (a.version == b.version and (a.is_unspecified or b.is_unspecified))
