"""Compiled kernels: the only place where Numba is.

A kernel is a function of a module and has an explicit signature. So importing its module compiles
it, or loads it from Numba's cache, and nothing compiles in the middle of a run; one made by a
closure would miss the cache every time. Its helpers stand in the same file, for the cache does not
notice when another file is edited.

Inputs are flat arrays, read-only in the signature, which takes writable ones, too; outputs are
passed in. Inside there are neither bounds checks nor exceptions: callers check the arrays, and a
kernel returns the index of a value that it refuses. It holds no GIL and starts no threads:
parallelism is the executors' business.
"""
