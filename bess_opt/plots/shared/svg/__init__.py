"""Pages of vectors written at once, for reports: a stand-in for the parts of matplotlib that its pictures use."""
