"""The machine under the library: compiled code, memory, disks, the cache folder, and kill points for tests."""
