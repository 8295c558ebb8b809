namespace FwCluster.Datapath;

/// <summary>Which way a packet takes through the hooks.</summary>
public enum PacketWay : byte
{
    /// <summary>Through this host: PREROUTING, FORWARD, POSTROUTING.</summary>
    Forward,

    /// <summary>To this host: PREROUTING, INPUT.</summary>
    Input,

    /// <summary>From this host: OUTPUT, POSTROUTING.</summary>
    Output,

    /// <summary>From this host to itself: OUTPUT, POSTROUTING, then PREROUTING, INPUT, over the loopback interface.</summary>
    Loopback,
}
