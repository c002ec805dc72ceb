"""How a colour picture is read: as one of its channels, or every colour as a phase."""

from typing import Literal, get_args

__all__ = ["CHANNELS", "Channel"]

Channel = Literal["grey", "red", "green", "blue", "colours"]
CHANNELS: tuple[str, ...] = get_args(Channel)
