"""A platform's table of Flink jobs and its log of what users were told, kept by Steadfast's event stream."""
