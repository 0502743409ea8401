"""The docks and strips around the canvas; each is given values and answers with signals."""
