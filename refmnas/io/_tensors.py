"""What `load` returns."""


class Tensors(dict):
    """A dictionary name -> array, and what else the file said.

    format     "safetensors", "npz", "pth", "pth-legacy" or "checkpoint"
    metadata   safetensors: the texts of `__metadata__`.  pth: the state
               dictionary's `_metadata`, module name -> {"version": ...}; the
               whole network has the name "".  Empty where the file has none.
    skipped    entries that were left out, with what they are, such as
               {"epoch": "3", "optimizer": "a dict"}
    entry      pth: where in the checkpoint the state dictionary was, such as
               "state_dict"; "" for the file's root
    """

    def __init__(self, arrays=(), *, format="", metadata=None, skipped=None, entry=""):
        super().__init__(arrays)
        self.format = format
        self.metadata = dict(metadata or {})
        self.skipped = dict(skipped or {})
        self.entry = entry
