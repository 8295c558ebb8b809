using FwCluster.Conntrack;

namespace FwCluster.Datapath.Shards;

/// <summary>The states in which the rules let a packet pass, found before its state is known.</summary>
[Flags]
public enum AcceptedStates : byte
{
    /// <summary>In none.</summary>
    None = 0,

    /// <summary><see cref="ConntrackState.Invalid"/>.</summary>
    Invalid = 1 << ConntrackState.Invalid,

    /// <summary><see cref="ConntrackState.New"/>.</summary>
    New = 1 << ConntrackState.New,

    /// <summary><see cref="ConntrackState.Established"/>.</summary>
    Established = 1 << ConntrackState.Established,

    /// <summary><see cref="ConntrackState.Related"/>.</summary>
    Related = 1 << ConntrackState.Related,
}

/// <summary>Questions to <see cref="AcceptedStates"/>.</summary>
public static class AcceptedStatesExtensions
{
    /// <summary>True where a packet of this state passes.</summary>
    public static bool Has(this AcceptedStates states, ConntrackState state) => ((int)states & 1 << (int)state) != 0;

    /// <summary>The set that has this state alone.</summary>
    public static AcceptedStates Of(ConntrackState state) => (AcceptedStates)(1 << (int)state);
}
