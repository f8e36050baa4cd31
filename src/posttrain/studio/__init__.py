"""The studio: runs, answers and annotations in a browser. One small server that reads run folders as files."""
