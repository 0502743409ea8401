"""How much work the corrections were."""
