"""The errors this package raises; each message is a sentence for the person who has to act."""


class HoaOpsError(Exception):
    """Base of the package's own errors. Messages carry no personal data and no secret."""


class SettingsError(HoaOpsError):
    """A setting of the deployment is missing or wrong."""


class RequestError(HoaOpsError):
    """The params of a run contradict each other or name something that does not exist."""


class PostingError(HoaOpsError):
    """One association could not be posted; nothing of it was kept."""


class NotReadyError(HoaOpsError):
    """The deployment is not as the jobs need it; the message says what to do."""
