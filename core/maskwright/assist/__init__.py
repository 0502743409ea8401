"""Box, clicks or an outline -> outline: one protocol, and the networks and classical methods behind it."""
