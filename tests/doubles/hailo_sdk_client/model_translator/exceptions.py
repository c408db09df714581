"""The parser's errors that the double raises."""


class UnsupportedModelError(Exception):
    pass


class ParsingWithRecommendationException(Exception):
    pass
