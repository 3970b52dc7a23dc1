"""What any program of processes needs: signals, lifelines, memory, ports, runs."""
