"""Dialogs: the few windows that ask before something is written or changed as a whole."""
