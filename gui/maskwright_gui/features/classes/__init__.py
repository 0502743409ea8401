"""The classes of the project: their panel, and the class of objects drawn and selected."""
