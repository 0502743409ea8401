"""The Qt window over `maskwright`: everything here may import core, core imports nothing from here."""
