"""The classifiers under the names of their encoders, as Spark NLP has them; each refuses a model of another family."""

from __future__ import annotations

from tagline.spark.classifiers import SequenceClassifier, TokenClassifier


class AlbertForSequenceClassification(SequenceClassifier):
    """Documents or sentences to labels, with a model of the type albert."""

    families = ("albert",)


class AlbertForTokenClassification(TokenClassifier):
    """Words to tags, with a model of the type albert."""

    families = ("albert",)


class BertForSequenceClassification(SequenceClassifier):
    """Documents or sentences to labels, with a model of the type bert."""

    families = ("bert",)


class BertForTokenClassification(TokenClassifier):
    """Words to tags, with a model of the type bert."""

    families = ("bert",)


class CamemBertForSequenceClassification(SequenceClassifier):
    """Documents or sentences to labels, with a model of the type camembert."""

    families = ("camembert",)


class CamemBertForTokenClassification(TokenClassifier):
    """Words to tags, with a model of the type camembert."""

    families = ("camembert",)


class DeBertaForSequenceClassification(SequenceClassifier):
    """Documents or sentences to labels, with a model of the type deberta or deberta-v2."""

    families = ("deberta", "deberta-v2")


class DeBertaForTokenClassification(TokenClassifier):
    """Words to tags, with a model of the type deberta or deberta-v2."""

    families = ("deberta", "deberta-v2")


class DistilBertForSequenceClassification(SequenceClassifier):
    """Documents or sentences to labels, with a model of the type distilbert."""

    families = ("distilbert",)


class DistilBertForTokenClassification(TokenClassifier):
    """Words to tags, with a model of the type distilbert."""

    families = ("distilbert",)


class ElectraForSequenceClassification(SequenceClassifier):
    """Documents or sentences to labels, with a model of the type electra."""

    families = ("electra",)


class ElectraForTokenClassification(TokenClassifier):
    """Words to tags, with a model of the type electra."""

    families = ("electra",)


class ModernBertForSequenceClassification(SequenceClassifier):
    """Documents or sentences to labels, with a model of the type modernbert."""

    families = ("modernbert",)


class ModernBertForTokenClassification(TokenClassifier):
    """Words to tags, with a model of the type modernbert."""

    families = ("modernbert",)


class MPNetForSequenceClassification(SequenceClassifier):
    """Documents or sentences to labels, with a model of the type mpnet."""

    families = ("mpnet",)


class MPNetForTokenClassification(TokenClassifier):
    """Words to tags, with a model of the type mpnet."""

    families = ("mpnet",)


class RoBertaForSequenceClassification(SequenceClassifier):
    """Documents or sentences to labels, with a model of the type roberta."""

    families = ("roberta",)


class RoBertaForTokenClassification(TokenClassifier):
    """Words to tags, with a model of the type roberta."""

    families = ("roberta",)


class XlmRoBertaForSequenceClassification(SequenceClassifier):
    """Documents or sentences to labels, with a model of the type xlm-roberta."""

    families = ("xlm-roberta",)


class XlmRoBertaForTokenClassification(TokenClassifier):
    """Words to tags, with a model of the type xlm-roberta."""

    families = ("xlm-roberta",)
