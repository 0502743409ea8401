"""The docks and strips around the canvas. Each is given values and answers with signals."""
