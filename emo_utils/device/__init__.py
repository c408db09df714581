"""What runs elsewhere: scripts that import nothing of emo_utils and are copied into the bundles of `export`."""
