"""Small networks train fastest on one thread each, and give the same bits however pytest was started."""

import os

from threadpoolctl import threadpool_limits

os.environ["OMP_NUM_THREADS"] = "1"  # for what is not loaded yet: torch reads it
one_thread = threadpool_limits(limits=1)  # for what is: the plugin has loaded numpy before this file
