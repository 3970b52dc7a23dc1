"""What people read: progress on standard error, results on standard output."""
