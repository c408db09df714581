# Every target is one word of scripts/make.py; without make, run: python scripts/make.py course
PYTHON ?= python3

.PHONY: course demo test colab jax lint format bench dist env clean
course demo test colab jax lint format bench dist env clean:
	@$(PYTHON) scripts/make.py $@
