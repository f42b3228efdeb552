"""The address that a host's name stands for."""

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
        raise OSError(f"{host} is no address") from error
    return str(min(found, key=lambda entry: entry[0] != socket.AF_INET)[4][0])
