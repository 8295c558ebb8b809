using System.Text;
using FwCluster.Differential.Engines;

namespace FwCluster.Differential.Comparison;

/// <summary>Packets on which two trackers differ, and in what.</summary>
/// <param name="Options">The settings of tracking.</param>
/// <param name="Packets">The packets, from empty tables on.</param>
/// <param name="What">What differs after the last of them.</param>
public sealed record Difference(TrackingOptions Options, IReadOnlyList<byte[]> Packets, string What)
{
    /// <summary>The states that the two gave, packet by packet.</summary>
    public required IReadOnlyList<(string First, string Second)> States { get; init; }

    /// <summary>A script that a person can read, and bytes that a test can send.</summary>
    public string Script()
    {
        var text = new StringBuilder();
        text.Append("settings: ").Append(Options).Append('\n');
        for (var i = 0; i < Packets.Count; i++)
        {
            var (first, second) = i < States.Count ? States[i] : ("", "");
            text.Append($"{i + 1,3}  {(first == second ? first : $"{first} | {second}"),-12} {PacketText.Of(Packets[i])}\n");
        }
        text.Append(What).Append('\n');
        for (var i = 0; i < Packets.Count; i++) text.Append($"{i + 1,3}  {Convert.ToHexStringLower(Packets[i])}\n");
        return text.ToString();
    }
}
