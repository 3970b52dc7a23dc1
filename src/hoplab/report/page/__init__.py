"""The report as one HTML file: its template, style and scripts, and how they become a document."""
