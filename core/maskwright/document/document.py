"""The instances of one image as an immutable value."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from maskwright.document.change import Change
from maskwright.document.values import Instance


def _none() -> Mapping[int, str]:
    return MappingProxyType({})


def _in_drawing_order(instances: Mapping[int, Instance]) -> Mapping[int, Instance]:
    ordered = sorted(instances.values(), key=lambda instance: (instance.z, instance.id))
    return MappingProxyType({instance.id: instance for instance in ordered})


@dataclass(frozen=True, slots=True)
class Document:
    """The instances of one image by id, in drawing order: first is lowest, by (z, id)."""

    image_id: int
    size_wh: tuple[int, int]
    instances: Mapping[int, Instance]
    revision: int = 0
    damaged: Mapping[int, str] = field(default_factory=_none, compare=False)
    """{id: reason} of further objects whose rows cannot be read; they stay in the project unchanged."""

    @classmethod
    def of(
        cls,
        image_id: int,
        size_wh: tuple[int, int],
        instances: Collection[Instance] = (),
        damaged: Mapping[int, str] | None = None,
    ) -> "Document":
        """Raises ValueError if an id occurs twice."""
        known = {instance.id: instance for instance in instances}
        if len(known) != len(instances):
            raise ValueError(f"image {image_id}: an instance id occurs twice")
        return cls(image_id, size_wh, _in_drawing_order(known), damaged=MappingProxyType(dict(damaged or {})))

    def apply(self, change: Change) -> "Document":
        """The document after `change`.

        Raises ValueError if the change was made for another state of the document.
        """
        merged = dict(self.instances)
        for id_, before, after in change:
            if merged.get(id_) != before:
                raise ValueError(f"instance {id_} is not in the state that the change starts from")
            if after is None:
                del merged[id_]
            else:
                merged[id_] = after
        return replace(self, instances=_in_drawing_order(merged), revision=self.revision + 1)

    def suits(self, change: Change) -> bool:
        """Whether the change was made for the present state of its instances."""
        return all(self.instances.get(id_) == before for id_, before, _ in change)

    def bounds_of(self, ids: Collection[int]) -> tuple[float, float, float, float] | None:
        """xyxy around those of the instances that exist, in image pixels; None if none do."""
        boxes = [self.instances[id_].bounds_xyxy for id_ in ids if id_ in self.instances]
        if not boxes:
            return None
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)

    def __iter__(self) -> Iterator[Instance]:
        return iter(self.instances.values())

    def __len__(self) -> int:
        return len(self.instances)

    def __getitem__(self, instance_id: int) -> Instance:
        return self.instances[instance_id]

    def __contains__(self, instance_id: int) -> bool:
        return instance_id in self.instances
