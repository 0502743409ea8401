"""What the window can do: one folder per feature; `app` lists them."""
