"""Faces: command line (answers, messages, progress), page in the browser, report."""
