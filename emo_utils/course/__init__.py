"""The course's own machinery: one source a lesson, notebooks built from it, and a runner for all of them.

notebooks/source/NN_topic.py  --sources-->  notebook without outputs  --execute-->  with outputs  --outputs-->  checked
                                                                            build writes it to notebooks/, run to build/

`exercises` is the part that lessons import: it checks a learner's answers.
"""
