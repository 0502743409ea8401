"""Where each image was left, kept with the project: zoom and place of the latest few hundred that were not at fit."""

import logging
from typing import TYPE_CHECKING

from maskwright.errors import ProjectError
from maskwright_gui.canvas.viewport import ViewportState

if TYPE_CHECKING:
    from maskwright.project.store import Project

VIEWPORTS_SETTING = "window.viewports"
"""Name of the project's setting."""
MOST_KEPT = 300
log = logging.getLogger(__name__)


def read_viewports(project: "Project") -> dict[int, ViewportState]:
    """By image id, the latest last; nothing for what cannot be understood."""
    stored = project.setting(VIEWPORTS_SETTING)
    try:
        return {int(id_): ViewportState.from_json(values) for id_, values in (stored or {}).items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        log.info("the views of the images are forgotten: %r", error)
        return {}


def store_viewports(project: "Project", viewports: dict[int, ViewportState]) -> None:
    """A view that cannot be stored is no loss that anybody has to be told of."""
    if project.is_read_only:
        return
    zoomed = [(id_, state) for id_, state in viewports.items() if not state.is_fit]
    try:
        project.set_setting(VIEWPORTS_SETTING, {str(id_): state.to_json() for id_, state in zoomed[-MOST_KEPT:]})
    except ProjectError as error:
        log.warning("the views of the images are not kept: %s", error)
