// One test measures the process's memory, another one sets its environment.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
