"""The one compiled part: its C++ sources, and the loader that compiles them at first use."""
