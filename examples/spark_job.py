"""Entities in a folder of texts, on a Spark cluster.

    spark-submit --master spark://host:7077 examples/spark_job.py MODEL letters/ out/
    python examples/spark_job.py MODEL letters/ out/ --master local[2]

The input is a folder of Parquet or JSON lines with a column `text`; the output is Parquet with the text's chunks.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from pyspark.ml import Pipeline

from tagline.spark import DocumentAssembler, Finisher, NerConverter, TokenClassifier, Tokenizer, counts, session


def pipeline(model: str, spark: Any) -> Pipeline:
    """Texts to the arrays `finished_chunk` and `finished_chunk_metadata`."""
    return Pipeline(
        stages=[
            DocumentAssembler().setInputCol("text").setOutputCol("document"),
            Tokenizer().setInputCols(["document"]).setOutputCol("token"),
            TokenClassifier.loadSavedModel(model, spark).setInputCols(["document", "token"]).setOutputCol("ner"),
            NerConverter().setInputCols(["document", "token", "ner"]).setOutputCol("chunk"),
            Finisher().setInputCols(["chunk"]).setIncludeMetadata(True),
        ]
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="model folder, or archive:NAME of --archives FILE.zip#NAME")
    parser.add_argument("input", help="folder of Parquet or JSON lines")
    parser.add_argument("output", help="folder to write")
    parser.add_argument("--master", help="where Spark runs; spark-submit has its own")
    parser.add_argument("--format", choices=("parquet", "json"), default="parquet")
    options = parser.parse_args(arguments)
    spark = session(options.master, "entities")
    texts = spark.read.format(options.format).load(options.input)
    found = pipeline(options.model, spark).fit(texts).transform(texts)
    found.write.mode("overwrite").parquet(options.output)
    done = counts(spark)
    print(f"{done.rows:,} rows, {done.errors:,} with an error, models opened: {sum(done.loads.values())}")
    spark.stop()


if __name__ == "__main__":
    main()
