"""What concerns the machine under the library: compiled code, memory, disks, and where tests kill a run."""
