"""Request lines and heads that are odd, and yet right or wrong to the letter."""

import pytest
from raw_socket import errorcode, good
from shim_server import Served


def test_the_documents_request_line(served: Served, selfie: bytes) -> None:
    # Section 1.6 shows the whole address in the request line.
    request = good("detect", selfie).replace(b"POST /", b"POST http://e.ai.pingan.com.cn/", 1)
    assert errorcode(served, request) == "0"


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/openapi/face/v2/detect?name=张三#x", "0"),
        ("/openapi/face/v2/detect#x?y", "0"),
        ("/openapi/face/v2/de%74ect", "0"),
        ("/openapi/face/v2/dét", "404"),
        ("/openapi/face/v2/de\ttect", "404"),
        ("\x01/openapi/face/v2/detect", "404"),
        ("x:/openapi/face/v2/detect", "404"),
        ("/openapi/face/v2/detect/", "404"),
    ],
)
def test_targets_are_read_to_the_letter(
    served: Served, selfie: bytes, target: str, code: str
) -> None:
    request = good("detect", selfie).replace(b"/openapi/face/v2/detect", target.encode(), 1)
    assert errorcode(served, request) == code


@pytest.mark.parametrize("host", ["a..b", ".", "face/api", "x" * 64 + ".cn", "e.ai.pingan.com.cn"])
def test_any_host_that_is_not_blank(served: Served, selfie: bytes, host: str) -> None:
    request = good("detect", selfie).replace(b"Host: localhost", f"Host: {host}".encode(), 1)
    assert errorcode(served, request) == "0"
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nHost:"
    assert errorcode(served, request.replace(b"Host:", upgrade, 1)) == "0"
