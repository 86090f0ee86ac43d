"""The one compiled part: its C++ source, and the loader that compiles it at first use."""
