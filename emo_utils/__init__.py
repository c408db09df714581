"""emo_utils: the helper package of the facial-expression course."""
