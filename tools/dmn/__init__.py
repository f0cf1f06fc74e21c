"""Reads DMN models and runs them on Signalbox's own FEEL and tables: for the compatibility kit.

No part of the product: it lets the public cases of the standard judge ``apps.engine.feel`` and
``apps.engine.tables``. ``python -m tools.feel_report`` writes what comes of it.
"""
