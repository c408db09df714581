"""Teacher and student of the Jetson source, on its data and on ours.

The source (StevenHSKim/FER-Jetson-Nano, MIT) trains both on CK+ at 48 px; what it then makes of the student, by
distillation, pruning and quantisation, is the business of `emo_utils.compress`, which starts from these recipes.
"""

from __future__ import annotations

from emo_utils.recipe import DATA_CLASSES, Augmentation, Head, Recipe, Stage
from emo_utils.recipes.common import MILD_AUGMENTATION, Named

_SOURCE = "FER-Jetson-Nano, CK+, seven classes"
# The dropout stands before the logits; the hidden layer sees every feature.
_TEACHER_HEAD = Head("flatten", (512,), dropout=(0.0, 0.5))
_STUDENT_HEAD = Head("flatten", (128,), dropout=(0.0, 0.3))

_TEACHER = Recipe(
    "jetson-teacher",
    data="ckplus",
    classes=DATA_CLASSES["ckplus"],
    # Its split was by image; ours is by person, so figures are lower and mean more.
    augmentation=Augmentation(flip=True, rotation=10, shift=0.1, brightness=0.2, contrast=0.2),
    backbone="TeacherCNN",
    head=_TEACHER_HEAD,
    stages=(Stage("all", epochs=50, learning_rate=5e-4),),
    batch_size=16,
)
_FER_TEACHER = Recipe(
    "fer2013-teacher",
    data="fer2013",
    augmentation=MILD_AUGMENTATION,
    backbone="TeacherCNN",
    head=_TEACHER_HEAD,
    stages=(Stage("all", epochs=12, learning_rate=1e-3),),
    # No label smoothing, here and below: a teacher that was told to be unsure of everything passes on less of what it
    # knows about the classes' likeness (Mueller et al. 2019).
    optimizer="adamw",
    weight_decay=0.01,
    schedule="cosine",
    warmup_epochs=1,
    batch_size=128,
)
_EMBEDDED_STUDENT = Recipe(
    "embedded-student",
    augmentation=Augmentation(flip=True, rotation=10, zoom=0.1, shift=0.08),
    backbone="StudentCNN",
    head=_STUDENT_HEAD,
    stages=(Stage("all", epochs=8, learning_rate=2e-3),),
    optimizer="adamw",
    weight_decay=0.01,
    schedule="cosine",
)

JETSON = (
    Named(_TEACHER, _SOURCE),
    Named(_TEACHER.but(name="jetson-student", backbone="StudentCNN", head=_STUDENT_HEAD), _SOURCE),
    Named(_FER_TEACHER, "this course, after FER-Jetson-Nano"),
    Named(
        _FER_TEACHER.but(
            name="fer2013-student",
            backbone="StudentCNN",
            head=_STUDENT_HEAD,
            stages=[Stage("all", epochs=16, learning_rate=2e-3)],
        ),
        "this course, after FER-Jetson-Nano",
    ),
    Named(
        _EMBEDDED_STUDENT.but(
            name="embedded-teacher",
            backbone="TeacherCNN",
            head=_TEACHER_HEAD,
            stages=[Stage("all", epochs=8, learning_rate=1e-3)],
        ),
        "this course, after FER-Jetson-Nano",
    ),
    Named(_EMBEDDED_STUDENT, "this course, after FER-Jetson-Nano"),
)
