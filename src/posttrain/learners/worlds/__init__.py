"""The worlds that ship, one class a file: `key_door` is the class KeyDoor of worlds/key_door.py."""
