"""The classes of the project: their panel, and the class of what is drawn and selected."""
