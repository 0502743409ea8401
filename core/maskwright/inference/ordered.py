"""Many images through a model, results in the order of the images."""

from collections.abc import Iterable, Iterator

from maskwright.errors import MaskwrightError
from maskwright.inference.async_runner import AsyncRunner
from maskwright.inference.candidates import Candidates
from maskwright.inference.image_input import ImageLike, image_to_bgr
from maskwright.inference.model import Model

Outcome = Candidates | MaskwrightError


def predicted_in_order(
    model: Model, images: Iterable[ImageLike], in_flight: int | None, *, keeps_going: bool
) -> Iterator[Outcome]:
    """See `Model.predict_batch`. At most twice as many images as are in flight are between reading and yielding."""
    with AsyncRunner[int](model, in_flight) as runner:
        done: dict[int, Outcome] = {}
        first = count = 0
        for image in images:
            while count - first >= runner.capacity:
                _collect(runner, done, first)
                yield _taken(done.pop(first), keeps_going=keeps_going)
                first += 1
            try:
                runner.submit(count, image_to_bgr(image))
            except MaskwrightError as error:
                done[count] = error
            count += 1
        for index in range(first, count):
            _collect(runner, done, index)
            yield _taken(done.pop(index), keeps_going=keeps_going)


def _collect(runner: AsyncRunner[int], done: dict[int, Outcome], wanted: int) -> None:
    """Wait until `wanted` is among the done ones."""
    while wanted not in done:
        result = runner.next_result()
        assert result is not None  # without a time limit it waits
        done[result[0]] = result[1]


def _taken(outcome: Outcome, *, keeps_going: bool) -> Outcome:
    if isinstance(outcome, MaskwrightError) and not keeps_going:
        raise outcome
    return outcome
