"""The settings of the page on which photographs are colored."""

import functools
from dataclasses import dataclass

from config.groups.argument_types import Host, Port, PositiveInt
from config.groups.setting import Jobs, setting

_serving_setting = functools.partial(setting, jobs=Jobs.SERVING)


@dataclass(frozen=True, init=False, repr=False, eq=False)
class ServingSettings:
    """Who can reach the page, and how much it accepts."""

    host: Host = _serving_setting(
        "the address to serve the page on; on any other than that of this machine alone, a token "
        "is made, printed and asked for",
        "127.0.0.1",
    )
    port: Port = _serving_setting("the port to serve the page on; 0 is any free one", 7860)
    max_upload: PositiveInt = _serving_setting(
        "the largest file that the page accepts, in megabytes", 200, metavar="MB"
    )
    max_photos: PositiveInt = _serving_setting(
        "photographs that are kept at a time; beyond, the one untouched longest is dropped",
        100,
    )
