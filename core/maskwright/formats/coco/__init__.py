"""COCO instance files: written exactly, read leniently."""

from maskwright.formats.coco.options import CocoExportOptions, CocoExportReport, CocoSource
from maskwright.formats.coco.reader import read_coco
from maskwright.formats.coco.writer import export_coco

__all__ = ["CocoExportOptions", "CocoExportReport", "CocoSource", "export_coco", "read_coco"]
