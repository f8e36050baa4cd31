"""Tasks to compare methods on: functions of their own file's name that return a Task for one seed."""
