"""The cloud's "Bioauth OpenAPI V2.0" over a local engine."""

from typing import TYPE_CHECKING

from shim.settings import Settings

if TYPE_CHECKING:
    from flask import Flask

    from engine import Engine
    from shim.keys import KeyStore

__all__ = ["Settings", "create_app"]


def create_app(engine: "Engine", settings: Settings, keys: "KeyStore | None" = None) -> "Flask":
    """Make the WSGI application; see shim.app."""
    from shim import app  # late: looking after key pairs needs no networks

    return app.create_app(engine, settings, keys)
