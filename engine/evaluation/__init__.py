"""Offline measurement over labelled pictures: python -m engine.evaluation, see its --help."""
