"""Load and save models: files, folders, the hub, and the models that come with the package."""
