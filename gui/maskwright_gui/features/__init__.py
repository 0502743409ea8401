"""What the window can do: one module or folder per feature; `app` lists them."""
