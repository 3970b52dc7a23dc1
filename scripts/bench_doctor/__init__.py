"""Is the doctor right? `make bench-doctor` asks it at every cell; published in docs/doctor.md."""
