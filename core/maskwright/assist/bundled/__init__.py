"""The bundled network: it looks at a window around the object, the prompt drawn on it as planes."""
