"""Strategies of the search over artefacts, one file each: which candidates get children, and which of them stay."""
