using FwCluster.Conntrack;

namespace FwCluster.Cli.Output;

/// <summary>Prints what a replay came to.</summary>
internal interface IReport
{
    /// <summary>The chains with their counters.</summary>
    void Chains();

    /// <summary>The connections that are left, each with the number of connections it is the master of.</summary>
    void Connections(IReadOnlyList<(int Index, int References)> connections);

    /// <summary>The expectations that are left.</summary>
    void Expectations(IReadOnlyList<Expectation> expectations);
}
