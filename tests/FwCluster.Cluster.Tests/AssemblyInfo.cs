// Each test has a cluster or two in this process: side by side they would take each other's time, and a busy node for a dead one.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
