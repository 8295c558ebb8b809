using System.Text;
using FwCluster.Fuzz.Engine;
using FwCluster.Packets;
using FwCluster.Rules.Sets;
using FwCluster.Rules.Text;

namespace FwCluster.Fuzz.Targets;

/// <summary>Files of sets, and packets asked of whatever they made.</summary>
internal sealed class SetsTarget : FuzzTarget
{
    private static readonly string[] Sides = ["src", "dst,src", "src,dst,dst"];

    /// <inheritdoc/>
    public override string Name => "sets";

    /// <inheritdoc/>
    public override string Description => "ipset files: read, and asked by rules";

    /// <inheritdoc/>
    public override IEnumerable<byte[]> Seeds => FuzzTargets.SeedFiles("sets").SelectMany(Pieces);

    /// <inheritdoc/>
    public override IEnumerable<byte[]> Dictionary => FuzzTargets.WordsOf(FuzzTargets.SeedFiles("sets"));

    /// <inheritdoc/>
    public override int MaxInputBytes => 1024;

    /// <inheritdoc/>
    public override void Run(ReadOnlySpan<byte> input)
    {
        var text = Encoding.UTF8.GetString(input);
        var result = SetReader.Read(text, "fuzz.ipset");
        Promises.ErrorsHavePlaces(result.Errors, text);
        if (result.Sets is not { } sets) return;
        var rules = new StringBuilder("*filter\n");
        foreach (var name in sets.Names.Where(name => name.All(char.IsAsciiLetterOrDigit)))
        {
            var set = sets.Find(name)!;
            rules.Append($"-A FORWARD -m set --match-set {name} {Sides[Math.Clamp(set.Dimensions, 1, Sides.Length) - 1]} -j MARK --set-mark 1\n");
        }
        rules.Replace("*filter", "*mangle").Append("COMMIT\n");
        foreach (var (family, other) in ((IpFamily, IpFamily)[])[(IpFamily.IPv4, IpFamily.IPv6), (IpFamily.IPv6, IpFamily.IPv4)])
        {
            // A set of the other family is refused, and then there is nothing to ask.
            var read = RulesetReader.Read(rules.ToString(), "fuzz.rules", family, new ReaderSettings { Sets = sets }).Of(family);
            if (read is not null) Promises.RulesTakePackets(read, RulesetReader.Read("", "", other).Of(other)!);
        }
    }

    // The whole file, and each set by itself.
    private static IEnumerable<byte[]> Pieces(byte[] file)
    {
        yield return file;
        foreach (var set in Encoding.UTF8.GetString(file).Split("create ", StringSplitOptions.RemoveEmptyEntries))
            yield return Encoding.UTF8.GetBytes("create " + set);
    }
}
