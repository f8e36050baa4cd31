"""The pages: functions of the studio and a request. One file for each thing that a person looks at."""
