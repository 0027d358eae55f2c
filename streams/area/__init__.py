"""The first stage for one area: its devices, its lanes (one per domain), its alerts, one clock."""
