"""The bundled network, which sees a window around the object with the prompt drawn into extra planes."""
