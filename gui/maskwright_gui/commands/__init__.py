"""What the actions do: one class per menu, each given the session and the widgets it speaks to."""
