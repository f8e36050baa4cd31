"""Where programs that a model wrote are run: bubblewrap, Landlock with seccomp, or WebAssembly; never unprotected."""
