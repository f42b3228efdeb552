"""The address that a host's name stands for."""

import ipaddress
import socket


def numeric(host: str) -> str:
    """Where to listen for a host: of a name with several addresses the first of IPv4.

    "localhost" is mostly both ::1 and 127.0.0.1, and who knows it by its number knows the latter.
    Raises OSError for what is no address.
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return host
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OSError(f"{host} is no address") from error
    return str(min(found, key=lambda entry: entry[0] != socket.AF_INET)[4][0])
