"""What a user can ask for, without a window: the command line and the window call the same functions.

Each takes what it works on and, if it may take long, a `Monitor` that follows and may cancel it; each returns what it
changed or found as a value."""
