"""Faces: command line, page in the browser, report."""
