"""The version, in one place: setup.cfg reads it from here without importing the engine."""

VERSION = "0.1.0"
