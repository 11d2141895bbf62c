"""From a file on disk to text cells under a header: unpacking, encoding, CSV, JSON, XML, workbooks, parquet."""
