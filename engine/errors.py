"""The errors the engine raises: one small tree, so that a caller can catch all or one."""


class EngineError(Exception):
    """Anything the engine refuses or cannot do. The message says what to do about it."""


class ImageError(EngineError):
    """The picture cannot be used: not PNG, JPEG or BMP, damaged, too large, or a wrong array."""


class FaceNotFound(EngineError):  # noqa: N818 - the name is the public surface
    """A face was needed and none was found in the picture."""


class WeightsError(EngineError):
    """A model pack is missing, damaged or incomplete, or lacks the network that was asked for."""


class ProviderError(EngineError):
    """An execution provider was named and is not the one that would really run the networks."""


def one_line(error: BaseException) -> str:
    """What another package's error says, which may be several lines."""
    return " ".join(str(error).split())
