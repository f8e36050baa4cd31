"""Models from files, folders, the hub and the package itself."""
