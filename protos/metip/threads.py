"""Which thread of a process goes first where several of them want one core: the one with the loop."""

import os
import threading
from contextlib import suppress


def loop_first() -> None:
    """Lets no other thread of Python's that runs by now interrupt the main one: woken, it begins when the core is free or a turn is over.

    gRPC's own thread is woken for each of five events of a call and the writer of a file for each group. Had either the core at once, the
    loop would only be told five times what it hears in one go. Does nothing where the system has no `SCHED_BATCH` or doesn't allow it.
    """
    if not hasattr(os, "SCHED_BATCH"):
        return
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and thread.native_id is not None:
            with suppress(OSError):  # it has ended meanwhile, or it may not be done here
                os.sched_setscheduler(thread.native_id, os.SCHED_BATCH, os.sched_param(0))
