"""A Table as a Spark StructType."""

from pyspark.sql.types import (
    ArrayType,
    DataType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from schemas.table import Table

SPARK_TYPES: dict[str, DataType] = {
    "string": StringType(),
    "int64": LongType(),
    "int32": IntegerType(),
    "float64": DoubleType(),
    "float32": FloatType(),
    "timestamp": TimestampType(),
}


def spark_schema(table: Table) -> StructType:
    """Render the table; Spark reads every parquet column as nullable, whatever is declared."""
    return StructType(
        [
            StructField(
                column.name,
                ArrayType(SPARK_TYPES[column.kind], column.nullable)
                if column.is_list
                else SPARK_TYPES[column.kind],
                nullable=column.nullable and not column.is_list,
            )
            for column in table.columns
        ]
    )
