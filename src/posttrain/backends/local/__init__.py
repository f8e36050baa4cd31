"""The backend of one process and one device."""
