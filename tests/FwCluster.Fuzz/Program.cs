return FwCluster.Fuzz.FuzzCommand.Run(args);
