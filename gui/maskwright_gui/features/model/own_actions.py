"""The actions of the model feature."""

from collections.abc import Callable

from maskwright_gui.actions import Action, Menu, Under, may_edit, nothing

Slot = Callable[[], object]


def model_actions(run: Slot, browse: Slot, open_models: Slot, map_classes: Slot) -> tuple[Action, ...]:
    """run: on the current image."""
    return (
        Action(
            "run_model",
            "Run model on this image",
            Menu.MODEL,
            0,
            run,
            keys=("I",),
            icon="lightning",
            words="predict detect segment auto label ai inference",
            tool_bar=(2, "Run model"),
            canvas_menu=((Under.NOTHING, 0),),
            needs=may_edit,
        ),
        Action(
            "choose_model",
            "Open a model file…",
            Menu.MODEL,
            2,
            browse,
            icon="cpu",
            needs=nothing,
            words="load network weights openvino onnx",
        ),
        Action(
            "models",
            "Get and manage models…",
            Menu.MODEL,
            2,
            open_models,
            needs=nothing,
            words="download install network weights",
        ),
        Action("map_classes", "Map model classes…", Menu.MODEL, 2, map_classes, icon="tag", words="rename labels"),
    )
