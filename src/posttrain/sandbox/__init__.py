"""Sandboxes for programs that a model wrote: bubblewrap, Landlock with seccomp, or WebAssembly; never unprotected."""
