"""What methods are compared on. A task is a function of its own file's name that returns a Task for one seed."""
