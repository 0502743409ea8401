"""What a run over proposals or boxes came to, in words."""

from typing import TYPE_CHECKING

from maskwright.words import count_of
from maskwright_gui.messages import Message

if TYPE_CHECKING:
    from maskwright.operations.refining import RefineReport


def told(report: "RefineReport", assistant: tuple[str, str] | None, *, only_boxes: bool) -> Message:
    """assistant: (name, content hash) of who did it."""
    from maskwright.assist.refine import Verdict

    seen, taken = sum(report.counts.values()), report.counts[Verdict.TAKEN]
    thing = "box" if only_boxes else "proposal"
    if not seen and not report.failures:
        what = "No box is left here to outline" if only_boxes else f"No {thing} is left here to refine"
        done = (
            "" if only_boxes else f"Those that went through {assistant[0] if assistant else 'it'} are not asked again."
        )
        return Message("Stopped" if report.is_cancelled else what, done)
    verb = "Outlined" if only_boxes else "Refined"
    text = f"{verb} {taken:,} of {count_of(seen, thing)}"
    if report.images > 1:
        text += f" on {count_of(report.images, 'image')}"
    if report.is_cancelled:
        text += ", then stopped"
    return Message(text, _rest(report), "warning" if report.failures else "info")


def _rest(report: "RefineReport") -> str:
    """Why the others stayed as they were."""
    from maskwright.assist.refine import Verdict

    counts = report.counts
    reasons = [
        (counts[Verdict.UNSURE], "the assistant was not sure of"),
        (counts[Verdict.ELSEWHERE], "would have become something else"),
        (counts[Verdict.IMPOSSIBLE], "cover nothing of the image"),
    ]
    left = sum(count for count, _ in reasons)
    said = ", ".join(f"{count:,} {reason}" for count, reason in reasons if count)
    parts = [f"{left:,} left as they were: {said}."] if left else []
    if report.images > 1:
        parts.append("Undo takes it back image by image.")
    if report.failures:
        name, reason = report.failures[0]
        more = f" and {len(report.failures) - 1:,} more" if len(report.failures) > 1 else ""
        parts.append(f"Not read: {name} ({reason}){more}.")
    return " ".join(parts)
