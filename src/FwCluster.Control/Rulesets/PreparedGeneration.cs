using System.Globalization;

namespace FwCluster.Control.Rulesets;

/// <summary>A generation that a node of a cluster has made ready: it can switch to it, and does not before all are told to.</summary>
/// <param name="Generation">The generation.</param>
/// <param name="Nodes">The names of all nodes that make it ready.</param>
/// <param name="Ballot">The coordinator's.</param>
public sealed record PreparedGeneration(RulesetGeneration Generation, IReadOnlyList<string> Nodes, RulesetBallot Ballot)
{
    /// <summary>The file, beside the rules.</summary>
    internal const string FileName = "nodes";

    private const string Head = "# The nodes that made these rules ready together, and the coordinator that asked them to.\n";
    private const string BallotField = "ballot:";

    /// <summary>The file's text.</summary>
    internal string Write()
        => Head + string.Create(CultureInfo.InvariantCulture, $"{BallotField} {Ballot.Number} {Ballot.Node}\n") + string.Concat(Nodes.Select(n => n + "\n"));

    /// <summary>Reads the file's text.</summary>
    /// <exception cref="FormatException">It is not such a file's.</exception>
    internal static PreparedGeneration Read(RulesetGeneration generation, string text)
    {
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => l[0] != '#').ToList();
        if (lines is not [var first, ..] || first.Split(' ') is not [BallotField, var number, var node])
            throw new FormatException($"its first line is no '{BallotField}' with two numbers");
        return new PreparedGeneration(generation, lines[1..],
            new RulesetBallot(ulong.Parse(number, NumberStyles.None, CultureInfo.InvariantCulture), int.Parse(node, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)));
    }
}
